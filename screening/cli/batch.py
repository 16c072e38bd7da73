"""`screening batch`: many people from a file."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from screening.cli.check import CATEGORY, LAWFUL_BASIS, PURPOSE
from screening.cli.common import FILE, emit, home_option, json_option, open_client
from screening.cli.running import CommandError, ProblemRowsError

if TYPE_CHECKING:
    from screening.client.batch import People, Progress

MAX_PROBLEMS_SHOWN = 20


@click.command()
@click.argument("file", type=FILE)
@click.option("--purpose", type=PURPOSE, required=True)
@click.option("--vacancy", required=True, help="Your reference for the vacancy; it must not name a person.")
@click.option("--lawful-basis", type=LAWFUL_BASIS, required=True, help="Were the candidates told, or did they consent?")
@click.option("--category", "categories", type=CATEGORY, multiple=True, default=("SH", "SEA"), show_default=True)
@click.option("--output", type=FILE, help="The results file, .csv or .xlsx; beside FILE by default.")
@click.option("--dry-run", is_flag=True, help="Find every problem in FILE, and ask nobody.")
@click.option("--skip-problem-rows", is_flag=True, help="Check the other rows although some have problems.")
@home_option
@json_option
def batch(
    file: Path,
    purpose: Any,
    vacancy: str,
    lawful_basis: Any,
    categories: tuple[str, ...],
    output: Path | None,
    dry_run: bool,
    skip_problem_rows: bool,
    home: Path,
    as_json: bool,
) -> None:
    """Check everybody in FILE (CSV or XLSX). Run the same command again to go on after an interruption.

    Columns: id, given, family, full, aliases, former, original, dob, dob_estimated, nationalities, gender, documents;
    at least a name. Several values in a cell are separated by ; and documents are type:issuer:number. The first sheet
    of a workbook is read. No row is ever screened twice: OUTPUT.journal keeps what was sent, and holds no name.
    """
    from screening.client.batch import Batch, read_people, write_results
    from screening.client.screenings import Asked

    people = read_people(file)
    if people.problems and not skip_problem_rows:
        raise ProblemRowsError([str(problem) for problem in people.problems], MAX_PROBLEMS_SHOWN)
    if dry_run:
        _say_dry_run(people, as_json)
        return
    results_file = output or file.with_name(f"{file.stem}.results{file.suffix or '.csv'}")
    journal = results_file.with_name(results_file.name + ".journal")
    _check_output(file, results_file, journal)
    with open_client(home, keys=True) as client:
        run = Batch(client, people, Asked(purpose, vacancy, lawful_basis, categories), journal)
        try:
            with _progress(quiet=as_json) as tell:
                results = run.run(tell)
        finally:
            if run.results:  # what was found so far is of use, and says of every other row that it was not reached
                write_results(results_file, people, run.results)
    counts = Counter(str(result["outcome"]) for result in results.values())
    content = {
        "output": str(results_file),
        "checked": len(results),
        "not_checked": len(people.ids) - len(results),
        "outcomes": dict(counts),
        "problems": [str(problem) for problem in people.problems],
    }
    listed = ", ".join(f"{number} {outcome}" for outcome, number in sorted(counts.items()))
    emit(as_json, content, f"Checked {len(results)} people: {listed or 'nobody'}.\nResults: {results_file}")


def _check_output(file: Path, results: Path, journal: Path) -> None:
    if results.resolve() == file.resolve():
        raise CommandError("output", "the results would replace the input; give another --output")
    if results.exists() and not journal.exists():
        raise CommandError("output", f"{results} exists; give another --output")


def _say_dry_run(people: "People", as_json: bool) -> None:
    content = {
        "rows": len(people.ids),
        "usable": len(people.candidates),
        "problems": [str(problem) for problem in people.problems],
        "insufficient": list(people.insufficient),
    }
    lines = [f"{len(people.candidates)} of {len(people.ids)} rows can be checked. Nobody was asked."]
    if people.insufficient:
        rows = ", ".join(map(str, people.insufficient[:MAX_PROBLEMS_SHOWN]))
        lines.append(f"{len(people.insufficient)} rows hold too little to find anybody by, such as row {rows}.")
    emit(as_json, content, "\n".join(lines))


@contextmanager
def _progress(*, quiet: bool) -> Iterator[Callable[["Progress"], None]]:
    """A bar on standard error with rate and time left; nothing where output is for a program."""
    if quiet:
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
    from rich.progress import Progress as Bars

    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"), TextColumn("{task.fields[left]}"))
    with Bars(TextColumn("checked"), *columns, console=Console(stderr=True)) as bars:
        task = bars.add_task("", rate="", left="")

        def tell(progress: "Progress") -> None:
            left = "" if progress.seconds_left is None else f"{_spoken(progress.seconds_left)} left"
            rate = "" if progress.seconds_left is None else f"{progress.rate:.1f}/s"
            bars.update(task, completed=progress.done, total=progress.total, rate=rate, left=left)

        yield tell


def _spoken(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s" if minutes else f"{rest} s"
