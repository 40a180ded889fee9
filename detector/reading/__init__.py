"""What read() is made of: whose run a span is, what the spans of a record know of each other, what a call is."""
