"""What every library is given and asked, as parts of programs of the benchmark's own environment.

The columns of the job, and the days: each is tested with the weights of the day before it, then trained in one pass.
"""

from __future__ import annotations

COLUMNS = """
folder = Path(sys.argv[1])
told = json.loads((folder / "settings.json").read_text())
columns = []
for each in told["columns"]:
    name, width = each["name"], each["width"]
    if each["kind"] == "dense":
        columns.append(DenseFeat(name, width))
        continue
    ids = SparseFeat(name, each["size"], embedding_dim=each["dim"], embedding_name=each["space"])
    columns.append(VarLenSparseFeat(ids, width, "mean", each["length"]) if each["length"] else ids)
"""
"""After the imports of DeepCTR's kinds of columns: ``told`` are the settings, ``columns`` those of the job."""

DAYS = """
for number, day in enumerate(told["days"]):
    held = dict(np.load(folder / f"{day}.npz"))
    label = held.pop("label")
    order = np.random.default_rng(number).permutation(len(label))
    if number:
        asked = {name: np.where(each >= told["limits"][day].get(name, 1 << 31), 1, each) for name, each in held.items()}
        np.save(folder / f"{day}.npy", model.predict(asked, batch_size=4096, verbose=0)[:, 0])
    rows = {name: each[order] for name, each in held.items()}
    model.fit(rows, label[order], batch_size=told["batch"], epochs=1, shuffle=False, verbose=0)
"""
"""After ``model`` is compiled."""
