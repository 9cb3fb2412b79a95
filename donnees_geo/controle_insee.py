"""Temps en voiture publiés par l'INSEE (Metric-OSRM), pour contrôler ceux du programme.

Jeu « Données sur la localisation et l'accès de la population aux équipements » (data.gouv.fr,
67fe0fe2423db9c4a05d8ced) : pour chaque carreau habité de 200 m et chaque type d'équipement de la
BPE, la distance et la durée par la route jusqu'au plus proche. Parquet, un fichier par région.

Colonnes des millésimes 2024 et 2025, d'après des programmes publics qui les lisent (le dictionnaire
de l'INSEE n'a pas pu être relu) : ``idSrc`` (« E_N », coin du carreau en EPSG:3035), ``X``, ``Y``,
``pop``, ``depcom``, ``iris``, ``dep``, ``domaine``, ``typeeq_id``, ``distance`` (km), ``duree``
(minutes). Un carreau à cheval sur deux communes y a une ligne par commune.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.dataset as jeu_arrow

from donnees_geo.configuration import Service
from donnees_geo.erreurs import ErreurDonnees
from donnees_geo.lecture.tables import resoudre_colonnes

#: Les noms des colonnes ont changé d'un millésime à l'autre : chaque rôle a plusieurs noms admis.
_ALIAS: Final = {
    "carreau": ("idsrc", "idcar_200m", "idinspire", "id_inspire", "id_carreau", "idcar", "carreau"),
    "type_equipement": ("typeeq_id", "typequ", "typeeq", "type_equipement", "code_equipement"),
    "duree_min": ("duree", "duree_min", "temps", "temps_min", "duree_minutes"),
}
#: Les deux écritures d'un coin : « …N2564000E3282400 », ou « 3282400_2564000 » (est, nord).
_POSITION: Final = r"N(\d+)E(\d+)"
_POSITION_EST_NORD: Final = r"^(\d{6,7})_(\d{6,7})$"
#: Une durée médiane au-delà n'est pas en minutes.
DUREE_MEDIANE_MAX_MIN: Final = 240.0


def position_carreau(identifiants: pd.Series[str]) -> pd.Series[str]:
    """Coin sud-ouest (« N…E… ») d'identifiants de carreaux, vide pour une autre forme.

    Le préfixe de la grille (``CRS3035RES200m``, ``FR_CRS3035…``) varie d'un millésime à l'autre.

    Examples
    --------
    >>> position_carreau(pd.Series(["CRS3035RES200mN2564000E3282400", "z01"])).tolist()
    ['N2564000E3282400', '']
    >>> position_carreau(pd.Series(["3282400_2564000"])).tolist()
    ['N2564000E3282400']
    """
    textes = identifiants.astype("str")
    nord_est = textes.str.extract(_POSITION)
    est_nord = textes.str.extract(_POSITION_EST_NORD)
    position = "N" + nord_est[0] + "E" + nord_est[1]
    return position.fillna("N" + est_nord[1] + "E" + est_nord[0]).fillna("")


def lire_temps_insee(
    chemin: Path | str, services: Sequence[Service], carreaux: pd.Series[str]
) -> pd.DataFrame:
    """Durée en voiture de chaque carreau au plus proche équipement de chaque service.

    Parameters
    ----------
    chemin
        Fichier Parquet, ou dossier partitionné par région.
    services
        Services voulus ; la durée d'un service est la plus courte de ses types de la BPE.
    carreaux
        Identifiants des carreaux du territoire.

    Returns
    -------
    pandas.DataFrame
        Index de ``carreaux`` ; une colonne par service que le fichier connaît, secondes, NaN sans
        valeur.

    Raises
    ------
    ErreurDonnees
        Fichier absent ou illisible, colonne absente, aucun carreau ou aucun type en commun, durée
        répétée ou qui n'est pas en minutes.
    """
    chemin = Path(chemin)
    if not chemin.exists():
        raise ErreurDonnees("Fichier de temps de l'INSEE introuvable.", objet=chemin)
    codes_bpe = _codes_satisfaisants(services)
    codes = sorted({c for types in codes_bpe.values() for c in types})
    table = _lire_table(chemin, codes)
    position = position_carreau(carreaux)
    table["position"] = position_carreau(table["carreau"])
    table = table[table["position"].isin(set(position) - {""})]
    if table.empty:
        raise ErreurDonnees(
            "Aucun carreau du territoire dans le fichier de l'INSEE.",
            objet=chemin,
            attendu="des identifiants de la grille de 200 m (CRS3035RES200mN…E…)",
            trouve=f"{len(carreaux)} carreaux du territoire, aucun en commun",
            conseil="prendre le fichier de la région du territoire",
        )
    duree = table["duree_min"].astype("float64")
    mediane = float(duree.median())
    if (duree < 0).any() or mediane > DUREE_MEDIANE_MAX_MIN:
        raise ErreurDonnees(
            "Les durées du fichier de l'INSEE ne sont pas des minutes.",
            objet=chemin,
            attendu=f"des nombres positifs, de médiane inférieure à {DUREE_MEDIANE_MAX_MIN:g}",
            trouve=f"médiane {mediane:g}, minimum {float(duree.min()):g}",
        )
    larges = table.assign(duree_s=duree * 60).pivot_table(
        index="position", columns="type_equipement", values="duree_s", aggfunc="min"
    )
    resultat = pd.DataFrame(index=carreaux.index)
    for service in services:
        connus = [c for c in codes_bpe[service.id] if c in larges]
        if connus:
            minimum = larges[connus].min(axis=1)
            resultat[service.id] = minimum.reindex(position).to_numpy(dtype=np.float64)
    return resultat


def _codes_satisfaisants(services: Sequence[Service]) -> dict[str, list[str]]:
    """Types de la BPE de chaque service, ceux des services qui le satisfont aussi compris."""
    propres = {s.id: list(s.codes_bpe) for s in services}
    return {
        s.id: propres[s.id] + [c for a in s.satisfait_aussi_par for c in propres.get(a, ())]
        for s in services
    }


def _lire_table(chemin: Path, codes: Sequence[str]) -> pd.DataFrame:
    """Colonnes utiles des types voulus, sous leurs noms du programme."""
    try:
        jeu = jeu_arrow.dataset(chemin, format="parquet", partitioning="hive")
        colonnes = resoudre_colonnes(jeu.schema.names, _ALIAS, chemin)
        lue = jeu.to_table(
            columns=list(colonnes.values()),
            filter=jeu_arrow.field(colonnes["type_equipement"]).isin(list(codes)),
        )
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as erreur:
        raise ErreurDonnees(
            "Fichier de temps de l'INSEE illisible.",
            objet=chemin,
            attendu="un fichier Parquet, ou un dossier de fichiers Parquet",
            trouve=str(erreur).splitlines()[0],
        ) from erreur
    table: pd.DataFrame = lue.to_pandas().rename(columns={v: k for k, v in colonnes.items()})
    if table.empty:
        raise ErreurDonnees(
            "Aucun type d'équipement du catalogue dans le fichier de l'INSEE.",
            objet=chemin,
            attendu=", ".join(codes[:12]),
            conseil="vérifier que la colonne des types porte les codes de la BPE",
        )
    return table
