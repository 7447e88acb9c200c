"""How long assignments' uploads are kept."""

from app.workloads.assignment.upload import ASSIGNMENTS
from app.workloads.uploads.keeping import expiry_of, tidying_of

expire = expiry_of(ASSIGNMENTS)
tidy = tidying_of(ASSIGNMENTS)
