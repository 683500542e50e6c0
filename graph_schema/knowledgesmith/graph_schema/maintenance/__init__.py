"""What keeps a database sound: checks of everything that must hold, and deletion that leaves nothing."""
