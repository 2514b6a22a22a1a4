"""`cuatro demo imaging`: studies leave a hospital, are read, reviewed and answered; the answer is shown."""
