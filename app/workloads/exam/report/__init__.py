"""What an exam's marks say: figures worked out once, when the exam is confirmed, and shown as JSON or CSV."""
