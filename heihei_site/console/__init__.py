"""What every page of the operators' console needs: deeds that are written down, roles, lists and their export."""
