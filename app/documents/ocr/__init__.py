"""Text in pictures: one persistent process that is given nothing but bitmaps of bounded size."""
