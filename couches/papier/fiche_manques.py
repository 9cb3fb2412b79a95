"""Services qui manquent dans une zone, mis en lignes de tableau."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from accessibilite.bilans.agregation import calculer_ponderation
from accessibilite.etude import ResultatEtude
from couches.textes import INSECABLE, duree, nombre, part
from donnees_geo.conventions import LIBELLES_PALIERS, PALIERS
from donnees_geo.territoire import Territoire

#: Mots qu'un nom écrit en capitales laisse en minuscules.
_PETITS_MOTS: Final = frozenset(
    ("de", "du", "des", "la", "le", "les", "et", "en", "au", "aux", "à")
)


@dataclass(frozen=True)
class LigneCarence:
    """Une ligne du tableau des services qui manquent, déjà en texte.

    ``proches`` : l'équipement le plus proche, du plus long au plus court (« commune (nom) », puis
    « commune ») ; la mise en page prend le premier qui tient.
    """

    service: str
    palier: str
    concernes: str
    part: str
    temps: str
    proches: tuple[str, ...]


class Manques:
    """Carences des zones d'un type, du plus au moins lourd.

    Parameters
    ----------
    territoire, resultat
        Territoire et son étude.
    zone_type
        Type de zone.
    """

    def __init__(self, territoire: Territoire, resultat: ResultatEtude, zone_type: str) -> None:
        c = resultat.carences
        self._carences = c[c["zone_type"] == zone_type]
        self._services = {s.id: s.libelle for s in resultat.services}
        _, self._par_population = calculer_ponderation(territoire.carreaux)
        self._communes: dict[str, str] = dict(
            zip(territoire.communes["code_commune"], territoire.communes["nom"], strict=True)
        )

    def lister(self, code: str) -> tuple[LigneCarence, ...]:
        """Lignes d'une zone : les plus touchées d'abord, puis l'ordre des paliers."""
        table = self._carences[self._carences["zone_code"] == code].copy()
        table["ordre"] = table["palier"].map({p: i for i, p in enumerate(PALIERS)})
        poids = "population_carence_hab" if self._par_population else "part_carence"
        table["poids"] = table[poids].round(3)
        table = table.sort_values(["poids", "ordre", "rang"], ascending=[False, True, True])
        return tuple(self._ligne(ligne) for _, ligne in table.iterrows())

    def _ligne(self, ligne: pd.Series) -> LigneCarence:
        concernes = float(ligne["population_carence_hab"])
        temps = float(ligne["temps_median_carence_s"])
        return LigneCarence(
            service=self._services.get(str(ligne["service"]), str(ligne["service"])),
            palier=f"{LIBELLES_PALIERS[ligne['palier']]}, "
            f"{float(ligne['seuil_s']) / 60:g}{INSECABLE}min",
            concernes=nombre(round(concernes)) if self._par_population else "–",
            part=_dire_part(float(ligne["part_carence"])),
            temps=duree(temps) if np.isfinite(temps) else "hors d’atteinte",
            proches=self._dire_proche(ligne),
        )

    def _dire_proche(self, ligne: pd.Series) -> tuple[str, ...]:
        commune = str(ligne["equipement_proche_commune"] or "")
        nom = str(ligne["equipement_proche_nom"] or "").strip()
        if not str(ligne["equipement_proche"] or ""):
            return ("–",)
        lieu = self._communes.get(commune, "hors du territoire")
        if not nom or nom.lower() == lieu.lower():
            return (lieu,)
        return (f"{lieu} ({_en_minuscules(nom) if nom.isupper() else nom})", lieu)


def _dire_part(valeur: float) -> str:
    """Part entière, qui ne dit ni « personne » ni « tous » à tort."""
    if 0 < valeur < 0.01:
        return f"<{INSECABLE}{part(0.01, 0)}"
    return f">{INSECABLE}{part(0.99, 0)}" if 0.99 < valeur < 1 else part(valeur, 0)


def _en_minuscules(nom: str) -> str:
    """Nom tout en capitales (BPE) récrit à la française : « Gare de Béthune »."""
    mots = [
        mot
        if mot in _PETITS_MOTS or mot.startswith(("n°", "d'", "l'"))
        else mot[:1].upper() + mot[1:]
        for mot in nom.lower().split(" ")
    ]
    texte = " ".join(mots)
    return texte[:1].upper() + texte[1:]
