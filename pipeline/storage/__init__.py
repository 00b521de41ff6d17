"""Where bytes are kept and digested: files, locks, artefacts, object stores, Redis; knows no table or feature."""
