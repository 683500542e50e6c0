"""What readers of files share: the protocol of importers, records with their places, and parsing in bounded memory."""
