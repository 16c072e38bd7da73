"""Names in many scripts become the parts, skeletons and bags that scheme 1 specifies."""

import pytest

from screening.identity import Name
from screening.identity.core import core
from screening.identity.skeleton import bag, canonical_skeletons, skeleton
from screening.identity.tables import name_tables
from screening.identity.tokens import name_tokens

EXAMPLES = [
    ("Mohammed Ali", "mohammed ali", "mt ali", "lmt"),
    ("Abdul-Rahman al-Sayyid", "abd rahman sayyid", "apt rmn st", "mnprstt"),
    ("SALAHUDDIN, Abou Bakr", "abu bakr salah din", "apu pkr sl tn", "klnpprst"),
    ("O'Connor, Seán", "sean oconnor", "sn aknr", "knnrs"),
    ("Dr. Hans Müller-Lüdenscheidt", "hans muller ludenscheidt", "ans mlr ltnst", "llmnnrsstt"),
    ("Jürgen Groß", "jurgen gross", "jrjn krs", "jjknrrs"),
    ("Søren Ångström", "soren angstrom", "srn ankstrm", "kmnnrrsst"),
    ("María José de la Cruz", "maria jose cruz", "mr js krs", "jkmrrss"),
    ("Vincent van der Berg", "vincent berg", "vnsnt prk", "knnprstv"),
    ("Bill Clinton", "bill clinton", "pl klntn", "kllnnpt"),
    ("Yusuf Schwarz", "yusuf schwarz", "asf svrs", "frsssv"),
    ("Wojciech Szczepański", "wojciech szczepanski", "vs spnsk", "knpsssv"),
    ("Đặng Thị Mỹ", "dang thi my", "tnk ti mi", "kmntt"),
    ("Sergei Shchukin", "sergei shchukin", "srj skn", "jknrss"),
    ("Сергей Щукин", "sergey shchukin", "srj skn", "jknrss"),
    ("Юлия Тимошенко", "yuliya timoshenko", "iulia tmsnk", "klmnst"),
    ("محمد عبد الرحمن", "mhmd abd rhmn", "mt apt rmn", "mmnprtt"),
    ("عبدالله حسين", "abd lah hsyn", "apt la asn", "lnpst"),
    ("Γιώργος Παπαδόπουλος", "giorgos papadopoylos", "jrks ptpls", "jklpprsst"),
    ("דוד כהן", "dvd khhn", "tvt kn", "knttv"),
    ("राम कुमार", "ram kumar", "rm kmr", "kmmrr"),
    ("やまだ たろう", "yamada tarou", "amt tr", "mrtt"),
    ("김정은", "kim jeong eun", "km jnk eun", "jkkmnn"),
    ("习近平", "xi jinping", "si jnpnk", "jknnps"),
]


def parts(full: str = "", *, given: str = "", family: str = "") -> str:
    return " ".join(core(name_tokens(Name(given=given, family=family, full=full))))


@pytest.mark.parametrize(("name", "expected", "skeletons", "consonants"), EXAMPLES)
def test_the_specification_s_examples_come_out(name: str, expected: str, skeletons: str, consonants: str) -> None:
    found = core(name_tokens(Name(full=name)))
    assert " ".join(found) == expected
    assert " ".join(map(skeleton, found)) == skeletons
    assert bag(found) == consonants


def test_a_nickname_is_resolved_before_the_skeleton() -> None:
    assert canonical_skeletons(("bill", "clinton")) == canonical_skeletons(("william", "clinton")) == "klntn vlm"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (parts("김정은"), parts(given="정은", family="김")),
        (parts("习近平"), parts(given="近平", family="习")),
        (parts("习近平"), parts(given="近平 ", family=" 习")),
        (parts("欧阳娜娜"), parts(given="娜娜", family="欧阳")),
        (parts("O'Connor, Seán"), parts(given="Seán", family="O’Connor")),
        (parts("Mr. John Smith Jr."), parts("John Smith")),
        (parts("عبدالرحمن"), parts("عبد الرحمن")),
        (parts("Abdullah"), parts("عبدالله")),
        (parts("Abd al-Aziz"), parts("Abdulaziz")),
        (parts("Nasr-ed-deen"), parts("Nasr ed Deen")),
        (parts("فاطمة"), parts("فاطمه")),
        (parts("ＪＯＨＮ　ＳＭＩＴＨ"), parts("john smith")),
        (parts("ﾔﾏﾀﾞ"), parts("ヤマダ")),
        (parts("Guzmán"), parts("Guzmán")),
    ],
)
def test_two_ways_of_writing_a_name_give_the_same_parts(one: str, other: str) -> None:
    assert one == other != ""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Alexander Maximov", "Aleksandr Maksimov"),
        ("Sophia Schmidt", "Sofia Shmidt"),
        ("Dzhokhar", "Djokhar"),
        ("Zhukov", "Joukov"),
        ("Christian", "Kristian"),
        ("Yekaterina", "Iekaterina"),
        ("Matthew", "Mathew"),
    ],
)
def test_transliterations_of_a_name_sound_alike(one: str, other: str) -> None:
    assert [skeleton(part) for part in parts(one).split()] == [skeleton(part) for part in parts(other).split()]


@pytest.mark.parametrize(
    ("full", "expected"),
    [
        ("Dr", "dr"),
        ("de la", "de la"),
        ("X", "x"),
        ("Prince", "prince"),
        ("J. R. R. Tolkien", "j r tolkien"),
        ("Anna Anna", "anna"),
        ("Geraldine", "ger din"),
        ("McDonald", "mcdonald"),
        ("司马光", "sima guang"),
        ("张伟", "zhang wei"),
        ("史蒂夫乔布斯", "shi di fu qiao bu si"),
        ("이명박", "lee myeong bak"),
        ("Bishop", "bishop"),
    ],
)
def test_edges_of_normalisation(full: str, expected: str) -> None:
    assert parts(full) == expected


def test_no_canonical_name_is_itself_a_nickname() -> None:
    nicknames = name_tables().nicknames
    assert len(nicknames) > 500
    assert not set(nicknames) & set(nicknames.values())


def test_nothing_in_the_tables_is_out_of_reach() -> None:
    tables = name_tables()
    words = [*tables.titles, *tables.particles, *tables.nicknames, *tables.nicknames.values()]
    assert all(name_tokens(Name(full=f"x {word}")) in {("x", word), ("x",)} for word in words)
    assert not tables.titles & (set(tables.nicknames) | set(tables.nicknames.values()) | tables.particles)
    assert not tables.particles & set(tables.nicknames)


def test_every_hangul_syllable_is_romanised() -> None:
    syllables = [parts(chr(code)) for code in range(0xAC00, 0xD7A4)]
    assert all(text.isascii() and text.isalpha() for text in syllables)
    assert (parts("가"), parts("힣"), parts("똠")) == ("ga", "hit", "ttom")


def test_digits_are_their_own_skeleton() -> None:
    assert skeleton("1977") == "1977"
    assert skeleton("0") == "0"
