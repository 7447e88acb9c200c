from app.core.worker.build import build

WorkerSettings = build("chat")
