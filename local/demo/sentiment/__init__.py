"""`cuatro demo sentiment`: a brand is watched on five networks, in six languages, through a quiet day and a crisis."""
