"""Pages Friches et risques, et Commerces : croisements gardés en mémoire."""
