"""The calls between a worker and the monitor: one structure each, with the phases in which a worker may send it.

A worker asks and the monitor answers with the same `call` number; at most one question of a worker is open at a time,
but for `Sign`, which a key re-exchange may need while a slow answer is still owed. No call names a person or an
account: who is asking is the monitor's own state, frozen by the first `BeginAuth`. Nothing here is ever pickled.
"""
