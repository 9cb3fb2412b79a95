"""Page Carences : tables et fiches."""
