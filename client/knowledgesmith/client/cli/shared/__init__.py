"""What every command shares: sessions, tables, numbers, progress, and errors as one clear line."""
