"""Listes de codes du standard CNIG « Friches » : (mot-clé normalisé, code).

Source : cnigfr/schema-friches, schema.json 1.0.3 à 1.0.6.
"""

from __future__ import annotations

from typing import Final

#: (mot-clé, libellé du standard 1.0.6) ; l'ordre départage « agro-industrielle » et « mixte ».
TYPES: Final = (
    ("agro", "friche agro-industrielle"),
    ("mixtedominantehabitat", "mixte – dominante habitat"),
    ("mixte", "mixte – autre"),
    ("industri", "friche industrielle"),
    ("commerc", "friche commerciale"),
    ("hospitali", "friche hospitalière"),
    ("carriere", "friche carrière ou mine"),
    ("mine", "friche carrière ou mine"),
    ("militaire", "friche militaire"),
    ("habitat", "friche d'habitat"),
    ("equipement", "friche d'équipement public"),
    ("aeroport", "friche aéroportuaire"),
    ("portuaire", "friche portuaire"),
    ("ferroviaire", "friche ferroviaire"),
    ("logistique", "friche logistique"),
    ("loisir", "friche loisir tourisme hôtellerie"),
    ("tourisme", "friche loisir tourisme hôtellerie"),
    ("enseignement", "friche enseignement"),
    ("cultuel", "friche cultuelle"),
    ("inconnu", "inconnu"),
    ("autre", "autre"),
    ("sansobjet", "sans objet"),
)
STATUTS: Final = (
    ("reconverti", "reconvertie"),
    ("sansprojet", "sans_projet"),
    ("avecprojet", "avec_projet"),
    ("potentiel", "potentielle"),
    ("inconnu", "inconnu"),
    ("autre", "autre"),
    ("sansobjet", "autre"),
)
OCCUPATIONS: Final = (
    ("totalement", "totalement inoccupé"),
    ("partiellement", "partiellement inoccupé"),
    ("transitoire", "occupation transitoire ou temporaire"),
    ("temporaire", "occupation transitoire ou temporaire"),
    ("illicitesupposee", "occupation illicite supposée"),
    ("illiciteaveree", "occupation illicite avérée"),
    ("inconnu", ""),
    ("autre", "autre"),
    ("sansobjet", ""),
)
POLLUTIONS: Final = (
    ("averee", "averee"),
    ("supposee", "supposee"),
    ("peuprobable", "peu_probable"),
    ("traitee", "traitee"),
    ("inexistante", "inexistante"),
    ("inconnu", "inconnue"),
    ("autre", "inconnue"),
    ("sansobjet", "inconnue"),
)
