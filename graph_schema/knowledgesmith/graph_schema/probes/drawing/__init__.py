"""Options of a question: seeded draws of wrong answers that look as the right one does."""
