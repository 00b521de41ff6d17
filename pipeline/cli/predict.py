"""``predict``: the rows of a file scored with a release, into a file."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

from pipeline.cli.arguments import Commands, add_job, add_json, day
from pipeline.cli.output import print_json
from pipeline.job import JobContext


def register(commands: Commands) -> None:
    parser = commands.add(
        "predict", _predict, "Score the rows of a file, a folder or a source's day with the released model.",
        "predict --job criteo --input rows.csv --output scores.csv --columns line,label",
    )  # fmt: skip
    add_job(parser)
    add = parser.add_argument
    add("--input", required=True, metavar="FILE|FOLDER|URL", help=".parquet, .csv, .tsv (text may be packed), or a "
        "source such as parquet:FOLDER, of which --day is read")  # fmt: skip
    add("--output", required=True, type=Path, metavar="FILE", help=".csv or .parquet; what cannot be scored goes to "
        "NAME.quarantine beside it, with the reasons")  # fmt: skip
    add("--columns", metavar="A,B", help="columns of the input to carry over")
    add("--day", type=day, metavar="YYYY-MM-DD", help="the day that the rows are of (default: that after the release)")
    add("--release", metavar="ID", help="one that was published, as far as its day is kept (default: what is served)")
    add("--vectors", action="store_true", help="also write vector/user, of a model with two towers (.parquet)")
    add_json(parser)


def _predict(options: argparse.Namespace) -> int:
    from pipeline.serving.batch.predict import predict

    columns = [each.strip() for each in options.columns.split(",")] if options.columns else []
    context = JobContext.open(options.job)
    done = predict(
        context, options.input, options.output, columns=columns, day=options.day, release=options.release,
        vectors=options.vectors,
    )  # fmt: skip
    if options.json:
        print_json({**asdict(done), "quarantine": str(done.quarantine) if done.quarantined else None})
        return 0
    print(f"release {done.release_id}: {done.scored} rows scored in {options.output}")
    if done.quarantined:
        reasons = "; ".join(f"{reason}: {rows}" for reason, rows in done.reasons.items())
        print(f"{done.quarantined} rows in {done.quarantine} ({reasons})")
    if done.absent:
        print(f"read as missing, as the input lacks them: {', '.join(done.absent)}")
    if done.undeclared:
        print(f"not read, as the job does not declare them: {', '.join(done.undeclared)}")
    if done.learnt:
        print(f"{done.learnt} of them are of days up to {done.learnt_until}, which the release has learnt from: "
              "scored, but left out of the measures")  # fmt: skip
    elif not done.measures:
        print("no row has a label, so nothing is measured")
    for name, value in done.measures.items():
        print(f"{name} {value if isinstance(value, int) else 'none' if value is None else f'{value:.6f}'}")
    return 0
