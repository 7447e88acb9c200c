"""Tables to students and their marks: which row is the header, which column is whose, what is no mark at all."""
