"""Ce que partagent les pages : territoire chargé, état de la session, mise en page."""
