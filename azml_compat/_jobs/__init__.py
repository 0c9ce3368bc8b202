"""Submitted scripts: run on this machine, each by a launcher of its own, and brought to their end by a supervisor.

Three processes speak through a private folder of the run. The submitter writes what is to be run and goes its way. The
launcher owns the script's processes: it waits for a slot, prepares, starts, ends what must end, and says how far it
is; it needs no MLflow. The supervisor, one for all runs of a store, alone talks to the store: status, logs, files.
Whichever of them is killed, another one or the next process that opens the store finishes its work.
"""
