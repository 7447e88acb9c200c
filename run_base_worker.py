from app.core.worker.run import run

if __name__ == "__main__":
    run("base")
