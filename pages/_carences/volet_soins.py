"""Volet « Médecins et infirmiers » : l'offre partagée entre tous ceux qui peuvent la rejoindre."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd

from couches.couche import EntreeLegende
from couches.textes import nombre, pluriel
from donnees_geo.configuration.analyses import lire_parametres_analyses
from donnees_geo.conventions import LIBELLES_MODES
from pages._carences.classement import (
    SANS_DONNEE,
    Classement,
    Colonne,
    LigneZone,
    nommer_type,
    nommer_zone,
)
from pages._carences.donnees import Analyses
from pages._carences.reglages import Reglages
from pages._commun.partage import Partage

#: Bornes hautes des classes, en part de la moyenne du territoire ; foncé : le moins bien doté.
BORNES_MOYENNE: Final = (0.5, 0.8, 1.2)
LEGENDE_MOYENNE: Final = (
    EntreeLegende("#0b4a82", "moins de la moitié"),
    EntreeLegende("#3a7ab1", "50 à 80 %"),
    EntreeLegende("#bcd3e6", "80 à 120 %"),
    EntreeLegende("#edf2f7", "plus de 120 %"),
    SANS_DONNEE,
)


def services_de_soins(analyses: Analyses) -> list[str]:
    """Services dont l'accès concurrentiel est mesuré."""
    soins = analyses.get("soins", pd.DataFrame())
    return list(dict.fromkeys(soins["service"].astype(str))) if len(soins) else []


def composer_soins(
    partage: Partage, analyses: Analyses, reglages: Reglages, service: str
) -> Classement:
    """Zones classées du moins au mieux doté.

    Parameters
    ----------
    service
        Un de ceux de :func:`services_de_soins`.
    """
    soins = analyses["soins"]
    soins = soins[soins["service"] == service]
    retenue = str(soins["decroissance"].iloc[0])
    soins = soins[soins["decroissance"] == retenue]
    tout = soins[soins["zone_type"] == "territoire"].iloc[0]
    moyenne = float(tout["professionnels_pour_100000_hab"])
    mini, maxi = reglages.bornes_taille_hab
    zones = soins[soins["zone_type"] == reglages.regroupement]
    zones = zones[zones["population_hab"].between(mini, maxi)].sort_values(
        ["professionnels_pour_100000_hab", "zone_nom"], ignore_index=True
    )
    libelle = next(s.libelle for s in partage.resultat.services if s.id == service)
    habitees = zones[zones["professionnels_pour_100000_hab"].notna()]
    phrases = []
    if len(habitees):
        derniere = habitees.iloc[0]
        nom = nommer_zone(reglages.regroupement, str(derniere["zone_nom"]))
        valeur = nombre(float(derniere["professionnels_pour_100000_hab"]))
        phrases.append(f"Le moins d’accès : {nom}, {valeur} pour 100 000 habitants.")
    sans = float(tout["sans_acces_hab"])
    phrases.append(
        f"{pluriel(round(sans), 'habitant')} n’en ont aucun à portée." if sans >= 1 else ""
    )
    phrases.append(_dire_sensibilite(analyses, service))
    return Classement(
        titre=f"Où les {_au_pluriel(libelle)} manquent-ils le plus ?",
        chiffre=nombre(moyenne),
        chiffre_legende=(
            f"{_au_pluriel(libelle)} pour 100 000 habitants, partagés entre tous ceux qui peuvent "
            "les rejoindre"
        ),
        phrase=" ".join(p for p in phrases if p),
        colonnes=(
            Colonne(nommer_type(reglages.regroupement), nombre=False),
            Colonne("pour 100 000 habitants", barre=True),
            Colonne("avec ceux d’alentour"),
            Colonne("sans aucun à portée", facultative=True),
            Colonne("habitants", facultative=True),
        ),
        lignes=tuple(_ligne(ligne, moyenne) for _, ligne in zones.iterrows()),
        legende=LEGENDE_MOYENNE,
        legende_titre="Accès, en part de la moyenne du territoire",
        hypotheses=_dire_methode(retenue),
        table=zones,
    )


def _ligne(ligne: pd.Series[Any], moyenne: float) -> LigneZone:
    valeur = float(ligne["professionnels_pour_100000_hab"])
    rapport = valeur / moyenne if moyenne > 0 else float("nan")
    fini = bool(np.isfinite(rapport))
    return LigneZone(
        code=str(ligne["zone_code"]),
        cellules=(
            str(ligne["zone_nom"]),
            nombre(valeur),
            nombre(float(ligne["avec_exterieur_pour_100000_hab"])),
            nombre(float(ligne["sans_acces_hab"])),
            nombre(float(ligne["population_hab"])),
        ),
        classe=int(np.searchsorted(BORNES_MOYENNE, rapport - 1e-9, side="left"))
        if fini
        else len(BORNES_MOYENNE) + 1,
        barre=min(rapport / 2, 1.0) if fini else None,
        bulle=f"{ligne['zone_nom']} : {nombre(valeur)} pour 100 000 habitants",
    )


def _au_pluriel(libelle: str) -> str:
    """« médecins généralistes » : les professions prennent toutes un s."""
    return " ".join(f"{mot}s" for mot in libelle.split())


def _dire_sensibilite(analyses: Analyses, service: str) -> str:
    table = analyses.get("soins_sensibilite", pd.DataFrame())
    table = table[table["service"] == service] if len(table) else table
    accords = table["correlation_rangs"].dropna() if len(table) else ()
    if not len(accords):
        return ""
    return (
        f"Selon la décroissance, le classement des communes garde une corrélation de "
        f"{nombre(float(min(accords)), 2)} à {nombre(float(max(accords)), 2)} avec celui-ci."
    )


def _dire_methode(retenue: str) -> str:
    reglages = lire_parametres_analyses()
    decroissance = next((d for d in reglages.decroissances if d.nom == retenue), None)
    texte = (
        "Accès flottant en deux temps (E2SFCA), dans l’esprit de l’APL mais sans besoin par âge ni "
        f"équivalent temps plein ; effectifs donnés par la source ; trajets "
        f"{LIBELLES_MODES[reglages.mode_concurrence]}"
    )
    if decroissance is None:
        return f"{texte}."
    pas = ", ".join(
        f"{nombre(100 * p)} % jusqu’à {b / 60:g} min"
        for b, p in zip(decroissance.bornes_s, decroissance.poids, strict=True)
    )
    return (
        f"{texte}, comptés {pas}, rien au-delà. « Avec ceux d’alentour » est un majorant : leurs "
        "autres patients ne sont pas connus."
    )
