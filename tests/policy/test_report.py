"""What is shown of a file where it is wrong: never a secret, never more than fits, and in the order of the file."""

import pytest

from pysshd.policy.problems import Mark
from pysshd.policy.report import (
    PROBLEMS_MAX,
    Report,
    Source,
    TooManyProblemsError,
    is_secret_key,
    meant,
    one_of,
    show,
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("x" * 64, repr("x" * 64)),
        ("x" * 65, repr("x" * 64 + "…")),
        ("a\nb", r"'a\nb'"),
        ("", "''"),
        ("a $ b", "'a $ b'"),
        ("$a$b", "'***'"),
        ("$6$salt", "'***'"),
        ("x $argon2id$", "'***'"),
    ],
)
def test_a_text_in_a_message(text: str, shown: str) -> None:
    assert show(text) == shown


@pytest.mark.parametrize(
    "key",
    [
        "password",
        "PASSWORD",
        "passwort",
        "pasword",
        "passwords",
        "secret",
        "secrets",
        "sercet",
        "passwd",
        "passphrase",
        "totp",
        "token",
        "tokens",
        "private_key",
        "privatekey",
        "Private-Key",
    ],
)
def test_keys_whose_values_are_never_shown(key: str) -> None:
    assert is_secret_key(key)


@pytest.mark.parametrize("key", ["keys", "who", "version", "pa", "password_of_somebody_else", "groups", "accounts", ""])
def test_keys_whose_values_are(key: str) -> None:
    assert not is_secret_key(key)


@pytest.mark.parametrize(
    ("text", "known", "hint"),
    [
        ("shel", ["shell", "exec"], "did you mean 'shell'?"),
        ("zzz", ["shell", "exec"], ""),
        ("exex", ["exec", "exes"], "did you mean 'exes'?"),
        ("a" * 64, ["a" * 63], f"did you mean {'a' * 63!r}?"),
        ("a" * 65, ["a" * 64], ""),
        ("user1", [f"user{number}" for number in range(1000)], "did you mean 'user1'?"),
        # Among very many only those that begin alike and are about as long are looked at.
        ("xser1", [f"user{number}" for number in range(1000)], "did you mean 'user1'?"),
        ("xser1", [f"user{number}" for number in range(1001)], ""),
        ("name", [*("n" * 9 for _ in range(1000)), "names"], "did you mean 'names'?"),
        ("name", [*("n" * 9 for _ in range(1000)), "nameses"], ""),
        ("name", [*("n" * 9 for _ in range(1000)), "namest"], "did you mean 'namest'?"),
    ],
)
def test_the_nearest_word(text: str, known: list[str], hint: str) -> None:
    assert meant(text, known) == hint


def test_a_line_is_shown_with_its_secrets_masked() -> None:
    source = Source("p.yaml", "a: one\r\n  password: hunter2 # x\nb: 'two\n  three' four\nc\x07d\n")
    source.whole = True
    assert source.shown(2) == "  password: hunter2 # x"
    source.hide((2, 13), (2, 20), to_line_end=False)
    assert source.shown(2) == "  password: ******* # x"
    source.hide((2, 13), (2, 20), to_line_end=True)
    assert source.shown(2) == "  password: ***********"
    source.hide((3, 4), (4, 9), to_line_end=False)
    assert (source.shown(1), source.shown(3), source.shown(4)) == ("a: one", "b: ****", "  ****** four")
    assert source.shown(5) == "c\N{REPLACEMENT CHARACTER}d"
    assert [source.shown(number) for number in (0, -1, 7, 8)] == [""] * 4
    assert source.shown(6) == ""


def test_a_secret_over_lines_is_masked_in_the_middle_too() -> None:
    source = Source("p.yaml", "a: |\n  one\n  two\n  three\nb: c\n", whole=True)
    source.hide((1, 4), (5, 1), to_line_end=False)
    assert [source.shown(number) for number in range(1, 6)] == ["a: *", "  ***", "  ***", "  *****", "b: c"]
    source.hide((1, 4), (99, 1), to_line_end=True)
    assert source.shown(5) == "****"


def test_until_all_was_read_whatever_might_be_a_secret_is_masked() -> None:
    line = "{password: hunter2, x: AbCdEfGhIjKlMnOpQrStUvWx, y: short}"
    source = Source("p.yaml", f"{line}\nx: {'a' * 23}\nx: {'a' * 24}\n'Pass_Word' : b\nx: $6$a$b\n")
    assert source.shown(1) == "{password: " + "*" * (len(line) - 11)
    assert source.shown(2) == "x: " + "a" * 23
    assert source.shown(3) == "x: " + "*" * 24
    source.whole = True
    assert source.shown(1) == line
    assert source.shown(3) == "x: " + "a" * 24
    assert "$6$a$b" not in source.shown(5)


@pytest.mark.parametrize(
    "key", ["password", "passwords", "passwd", "passphrase", "secret", "totp", "token", "private_key", "PassWord"]
)
def test_what_follows_a_key_of_a_secret_is_masked_wherever_it_stands(key: str) -> None:
    for before, behind in (("{a: b, ", ": "), ("- '", "' :\t"), ('"', '":')):
        source = Source("p.yaml", f"{before}{key}{behind}hunter2 x\n")
        assert source.shown(1).startswith(f"{before}{key}{behind.rstrip()}".replace("\t", ""))
        assert "hunter2" not in source.shown(1)
        assert source.shown(1).endswith("*********")
    assert Source("p.yaml", f"x{key}: hunter2\n").shown(1) == f"x{key}: hunter2"
    assert Source("p.yaml", f"{key} hunter2\n").shown(1) == f"{key} hunter2"


def test_a_line_that_is_very_long_is_not_shown() -> None:
    source = Source("p.yaml", "x" * 4096 + "\n" + "x" * 4097, whole=True)
    assert source.shown(1) == "x" * 4096
    assert source.shown(2) == ""


def mark(line: int, column: int = 1, file: str = "p.yaml") -> Mark:
    return Mark(file, line, column)


def test_problems_stand_in_the_order_of_the_file() -> None:
    report = Report([Source("p.yaml", "one\ntwo\n", whole=True)])
    report.warning(mark(2, 3), "w")
    report.error(mark(2, 3), "e", "do it")
    report.failed(mark(1, 2), "f")
    report.unserved(mark(1, 1), "key 'x'")
    report.error(mark(1, 1, "o.yaml"), "elsewhere")
    report.error(mark(2, 3), "e", "again")
    assert [(one.severity, one.message, one.hint, one.source_line) for one in report.problems] == [
        ("unserved", "key 'x' is not served yet by this version", "", "one"),
        ("failed", "f", "", "one"),
        ("error", "e", "do it", "two"),
        ("warning", "w", "", "two"),
        ("error", "elsewhere", "", ""),
    ]
    assert report.problems[2].plain() == {
        "file": "p.yaml", "line": 2, "column": 3, "severity": "error", "message": "e", "hint": "do it",
        "source_line": "two",
    }  # fmt: skip
    assert (report.errors, report.refused) == (2, True)


def test_what_refuses_and_what_does_not() -> None:
    report = Report()
    report.warning(mark(1), "w")
    report.failed(mark(1), "f")
    report.unserved(mark(1), "x")
    assert (report.errors, report.refused) == (0, False)
    report.error(mark(1), "e")
    assert (report.errors, report.refused) == (1, True)


def test_there_is_an_end_to_errors() -> None:
    report = Report()
    for line in range(1, PROBLEMS_MAX):
        report.error(mark(line), "e")
    assert len(report.problems) == PROBLEMS_MAX - 1
    with pytest.raises(TooManyProblemsError):
        report.error(mark(PROBLEMS_MAX), "e")
    *_, last = report.problems
    assert str(last) == "p.yaml: these are 100 problems; what follows was not looked at"
    assert len(report.problems) == PROBLEMS_MAX + 1


@pytest.mark.parametrize(("many", "said"), [(100, []), (101, ["there are 1 more {}"]), (107, ["there are 7 more {}"])])
def test_what_is_more_is_counted(many: int, said: list[str]) -> None:
    warned, failed = Report(), Report()
    for line in range(1, many + 1):
        warned.warning(mark(line), "w")
        failed.failed(mark(line), "f")
    for report, kind, what in ((warned, "warning", "warnings"), (failed, "failed", "failures of tests")):
        found = report.problems
        assert [one.message for one in found[PROBLEMS_MAX:]] == [text.format(what) for text in said]
        assert {one.severity for one in found} == {kind}
        assert [one.line for one in found[PROBLEMS_MAX:]] == [0] * len(said)


def test_words_in_a_row() -> None:
    assert [one_of(words) for words in (["a"], ["a", "b"], ["a", "b", "c"])] == ["a", "a or b", "a, b or c"]


def test_what_is_not_told_one_by_one_stands_in_the_last_file() -> None:
    report = Report([Source("a.yaml", "x\n"), Source("b.yaml", "x\n")])
    for number in range(PROBLEMS_MAX + 2):
        report.warning(mark(1, number + 1, "a.yaml" if number < 50 else "b.yaml"), "w")
    last = report.problems[-1]
    assert (last.file, last.line, last.message) == ("b.yaml", 0, "there are 2 more warnings")


def test_after_too_many_errors_the_last_file_is_told() -> None:
    report = Report([Source("a.yaml", "x\n"), Source("b.yaml", "x\n")])
    for number in range(PROBLEMS_MAX - 1):
        report.error(mark(1, number + 1, "a.yaml" if number < 50 else "b.yaml"), "e")
    assert len(report.problems) == PROBLEMS_MAX - 1
    with pytest.raises(TooManyProblemsError):
        report.error(mark(2, 1, "b.yaml"), "e")
    last = report.problems[-1]
    assert (last.file, last.line) == ("b.yaml", 0)
    assert last.message == f"these are {PROBLEMS_MAX} problems; what follows was not looked at"
