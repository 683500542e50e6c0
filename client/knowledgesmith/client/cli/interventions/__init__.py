"""Commands that plan, request and decide interventions."""
