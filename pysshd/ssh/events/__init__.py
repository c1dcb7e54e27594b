"""What the protocol tells its driver, and what the driver answers.

The machines return events; where an event carries a `ticket`, the peer is owed an answer and the driver gives it with
`Stack.answer(ticket, verdict)`. A ticket that is never answered is a refusal by silence: nothing happens for the peer.
Texts and names that the peer chose are `bytes` or validated `str` as each field says; none of them is trusted.
"""
