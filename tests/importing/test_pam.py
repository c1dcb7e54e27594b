"""What PAM would refuse is kept out: stacks are followed, and what is not understood closes."""

import pytest

from pysshd.importing.accounts import Host
from pysshd.importing.pam import keeping_out
from tests.importing.ground import HOST
from tests.importing.test_reading import made, said

STOCK = {
    "sshd": "@include common-auth\naccount    required     pam_nologin.so\n@include common-account\n",
    "common-auth": "auth\t[success=1 default=ignore]\tpam_unix.so nullok\nauth\trequisite\t\t\tpam_deny.so\n"
    "auth\trequired\t\t\tpam_permit.so\nauth\toptional\t\t\tpam_cap.so \n",
    "common-account": "account\t[success=1 new_authtok_reqd=done default=ignore]\tpam_unix.so \n"
    "account\trequisite\t\t\tpam_deny.so\naccount\trequired\t\t\tpam_permit.so\n",
}
"""As Debian 12 has it, of the stacks that count."""


def with_pam(**services: str) -> Host:
    texts = {name.replace("_", "-"): text for name, text in services.items()}
    return Host(HOST.accounts, HOST.groups, HOST.sftp_server, pam=STOCK | texts)


def test_the_stock_of_pam_keeps_nobody_out_whom_the_daemon_lets_in() -> None:
    assert keeping_out(STOCK, "sshd") == ()
    assert "methods: [publickey, password]" in made("UsePAM yes\n", with_pam()).policy


def test_a_module_of_account_closes_everything() -> None:
    host = with_pam(common_account="account required pam_access.so\n")
    assert "refuse: true" in made("UsePAM yes\n", host).policy
    wanted = "/etc/pam.d/common-account:1: refused: pam_access.so of PAM may keep somebody out, and has no equivalent: "
    assert any(one.startswith(wanted + "everybody is kept out") for one in said("UsePAM yes\n", host))


def test_a_module_of_auth_closes_passwords() -> None:
    host = with_pam(common_auth="auth required pam_google_authenticator.so\nauth required pam_unix.so\n")
    policy = made("UsePAM yes\n", host).policy
    assert "methods: publickey}" in policy
    assert "password" not in policy.split("sources:")[1]


@pytest.mark.parametrize(
    "text",
    ["required pam_deny.so", "required pam_localuser.so", "required pam_usertype.so isregular",
     "required pam_sepermit.so", "sufficient pam_localuser.so", "[default=ignore] pam_access.so"],
)  # fmt: skip
def test_a_module_that_keeps_people_out_is_named_whatever_its_control(text: str) -> None:
    host = with_pam(common_account=f"account {text}\naccount required pam_permit.so\n")
    assert "refuse: true" in made("UsePAM yes\n", host).policy
    assert any("/etc/pam.d/common-account:1: refused: pam_" in one for one in said("UsePAM yes\n", host))


@pytest.mark.parametrize(
    "text",
    [
        "[success=1 default=ignore] pam_unix.so\nrequired pam_permit.so\nrequisite pam_deny.so",
        "[success=1 default=ignore] pam_nologin.so\nrequired pam_deny.so\nrequired pam_permit.so",
        "[success=2 default=ignore] pam_unix.so\nrequired pam_deny.so\nrequired pam_permit.so",
        "[success=3 default=ignore] pam_unix.so\nrequired pam_deny.so\nrequired pam_permit.so",
        "[success=1 default=ignore] pam_unix.so\nrequired pam_deny.so",
        "optional pam_deny.so\nrequired pam_permit.so",
        "[success=ignore] pam_unix.so\nrequired pam_warn.so",
        "[success=die default=ignore] pam_unix.so\nrequired pam_permit.so",
        "[default=bad] pam_unix.so",
        "[user_unknown=ignore] pam_unix.so",
        "required pam_nologin.so",
        "[success=ok default=bad] pam_nologin.so\nrequired pam_permit.so",
        "required pam_nologin.so file=/etc/closed\nrequired pam_permit.so",
        "required pam_cap.so\nrequired pam_permit.so",
        "mandatory pam_unix.so",
        "[success=ok pam_unix.so",
        "required",
    ],
)
def test_a_stack_that_may_end_badly_closes_everything(text: str) -> None:
    lines = "".join(f"account {line}\n" for line in text.split("\n"))
    found = keeping_out(STOCK | {"sshd": "@include common-auth\n" + lines}, "sshd")
    assert found
    assert {one.stack for one in found} == {"account"}


@pytest.mark.parametrize(
    "text",
    [
        "account required pam_unix.so",
        "account sufficient pam_unix.so\naccount required pam_deny.so",
        "-account required pam_unix.so",
        "account [success=done new_authtok_reqd=done default=ignore] pam_unix.so\naccount required pam_deny.so",
        "account [default=ignore success=2] pam_unix.so\naccount required pam_deny.so\naccount required pam_deny.so\n"
        "account required pam_permit.so",
    ],
)
def test_a_stack_that_ends_well_keeps_nobody_out(text: str) -> None:
    assert keeping_out(STOCK | {"common-account": text}, "sshd") == ()


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("account required pam_unix.so\n# x \\\naccount required pam_deny.so", 3),
        ("account required pam_unix.so # x \\\naccount required pam_deny.so", 2),
        ("account required pam_unix.so\naccount \\\n required \\ \n pam_deny.so", 2),
        ("account required pam_unix.so\naccount required pam_deny.so \\", 2),
    ],
)
def test_a_backslash_goes_on_in_the_next_line_but_not_that_of_a_comment(text: str, line: int) -> None:
    found = keeping_out(STOCK | {"common-account": text}, "sshd")
    assert [(one.name, one.mark.line) for one in found or ()] == [("pam_deny.so", line)]


def test_a_line_of_no_known_stack_keeps_people_out() -> None:
    found = keeping_out(STOCK | {"sshd": STOCK["sshd"] + "acount required pam_deny.so\n"}, "sshd")
    assert found is not None
    assert {one.stack for one in found} == {"auth", "account"}


OTHER = "auth required pam_deny.so\naccount required pam_deny.so\n"


def test_a_stack_that_is_absent_is_that_of_other() -> None:
    services = STOCK | {"sshd": "@include common-auth\n"}
    assert keeping_out(services, "sshd") is None
    assert keeping_out(services | {"other": "@include common-account\n"}, "sshd") == ()
    found = keeping_out(services | {"other": OTHER}, "sshd")
    assert [(one.stack, one.mark.where) for one in found or ()] == [("account", "/etc/pam.d/other:2")]
    assert keeping_out(services | {"other": ""}, "sshd") is None


REDHAT = {
    "sshd": "auth       substack     password-auth\nauth       include      postlogin\n"
    "account    required     pam_sepermit.so\naccount    required     pam_nologin.so\n"
    "account    include      password-auth\n",
    "postlogin": "session optional pam_umask.so silent\n",
    "password-auth": "auth        required                                     pam_env.so\n"
    "auth        required                                     pam_faildelay.so delay=2000000\n"
    "auth        sufficient                                   pam_unix.so nullok\n"
    "auth        required                                     pam_deny.so\n"
    "account     required                                     pam_unix.so\n",
}
SSSD = (
    "auth        required                                     pam_env.so\n"
    "auth        required                                     pam_faildelay.so delay=2000000\n"
    "auth        [default=1 ignore=ignore success=ok]         pam_usertype.so isregular\n"
    "auth        [default=1 ignore=ignore success=ok]         pam_localuser.so\n"
    "auth        sufficient                                   pam_unix.so nullok\n"
    "auth        [default=1 ignore=ignore success=ok]         pam_usertype.so isregular\n"
    "auth        sufficient                                   pam_sss.so forward_pass\n"
    "auth        required                                     pam_deny.so\n"
    "account     required                                     pam_unix.so\n"
    "account     sufficient                                   pam_localuser.so\n"
    "account     sufficient                                   pam_usertype.so issystem\n"
    "account     [default=bad success=ok user_unknown=ignore] pam_sss.so\n"
    "account     required                                     pam_permit.so\n"
)
"""Stacks of authselect: its profile with local accounts alone, and that with SSSD."""


def test_stacks_of_authselect_are_closed_where_they_are_not_understood() -> None:
    found = keeping_out(REDHAT, "sshd")
    assert [(one.stack, one.name) for one in found or ()] == [("account", "pam_sepermit.so")]
    found = keeping_out(REDHAT | {"password-auth": SSSD}, "sshd")
    assert found is not None
    assert {one.stack for one in found} == {"auth", "account"}
    names = ("pam_usertype.so", "pam_localuser.so", "pam_sss.so")
    assert {("auth", name) for name in names} | {("account", name) for name in names} <= {
        (one.stack, one.name) for one in found
    }


@pytest.mark.parametrize(
    ("sshd", "inner", "kept_out"),
    [
        # What ends a substack well does not end the stack around it.
        ("account substack inner\naccount required pam_deny.so", "account sufficient pam_unix.so", True),
        ("account substack inner\naccount required pam_permit.so", "account sufficient pam_unix.so\n"
         "account required pam_deny.so", False),
        # What is included is of the stack itself.
        ("account include inner\naccount required pam_deny.so", "account sufficient pam_unix.so", False),
        # A substack is one step to a jump, and none leads into the middle of one or out of it.
        ("account [success=1] pam_unix.so\naccount substack inner\naccount required pam_permit.so",
         "account required pam_deny.so", True),
        ("account substack inner\naccount required pam_deny.so\naccount required pam_permit.so",
         "account [success=1] pam_unix.so", True),
        ("account include inner\naccount required pam_deny.so\naccount required pam_permit.so",
         "account [success=1] pam_unix.so", False),
        ("account include inner", "account include inner", None),
    ],
)  # fmt: skip
def test_substacks_and_includes(sshd: str, inner: str, kept_out: bool | None) -> None:
    found = keeping_out({"sshd": f"auth required pam_unix.so\n{sshd}\n", "inner": inner}, "sshd")
    assert found is None if kept_out is None else (found is not None and bool(found) is kept_out)


def test_without_the_files_of_pam_everybody_is_kept_out() -> None:
    assert "refuse: true" in made("UsePAM yes\n").policy
    assert keeping_out({}, "sshd") is None


def test_without_pam_its_files_say_nothing() -> None:
    assert "refuse: true" not in made("UsePAM no\n").policy
