"""The composing floor: the only place that reads settings; values are passed down from here."""
