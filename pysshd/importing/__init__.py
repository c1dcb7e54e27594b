"""From an `sshd_config` and files of authorized keys to a policy that lets in nobody whom sshd does not."""
