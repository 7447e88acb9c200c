"""`uvicorn app.main:app`"""

from app.core.exit import exit_when_misconfigured
from app.core.setup import create_app

with exit_when_misconfigured():
    app = create_app(end_process=True)
