"""Préparation : extraire d'un PBF les seules rues, en XML, le format de fichier que lit osmnx."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import osmium
from protocole import executer


def convertir(travail: dict[str, Any]) -> list[dict[str, Any]]:
    """Écrire ``travail["xml"]`` : voies ``highway`` et leurs noeuds."""
    Path(travail["xml"]).unlink(missing_ok=True)
    rues = osmium.FileProcessor(travail["pbf"], osmium.osm.WAY).with_filter(
        osmium.filter.KeyFilter("highway")
    )
    with osmium.BackReferenceWriter(travail["xml"], ref_src=travail["pbf"]) as sortie:
        for rue in rues:
            sortie.add(rue)
    return []


if __name__ == "__main__":
    executer(convertir)
