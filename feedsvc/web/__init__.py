"""Snapshot → response: documents are looked up; Flask answers everything else."""
