"""For check_docs.py, check_layers.py and check_style.py: groups of faults, printed and counted as tests/run reads them."""


def report(groups):
    """groups: a name → the faults found, a line each. The exit code."""
    for name, faults in groups.items():
        for fault in faults:
            print(fault)
        print(f"{name}: {len(faults)} faults" if faults else f"{name}: fine")
    failed = sum(1 for faults in groups.values() if faults)
    print(f"{len(groups) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0
