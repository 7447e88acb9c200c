"""Lines of text to questions, options, answers and marks, by rules that hold for any paper. No model is needed."""
