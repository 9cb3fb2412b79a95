"""Volet « Évolution » : ce qui a changé depuis un autre diagnostic du même territoire."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from accessibilite.bilans.suivi import Diagnostic, Suivi, comparer_diagnostics
from couches.couche import EntreeLegende
from couches.resultats import DOSSIER_ETUDE, lire_resultats
from couches.textes import nombre, part, pluriel
from pages._carences.classement import SANS_DONNEE, Classement, Colonne, LigneZone, nommer_type
from pages._carences.reglages import Reglages
from pages._commun.partage import Partage

#: Différences énumérées dans la phrase ; toutes sont dans le compte rendu de « comparer ».
ECARTS_MONTRES: Final = 3
#: Bornes de la variation d'accès, en part des habitants ; orange : perd, bleu : gagne.
BORNES_VARIATION: Final = (-0.1, -0.01, 0.01, 0.1)
LEGENDE_VARIATION: Final = (
    EntreeLegende("#b35806", "perd plus de 10 points"),
    EntreeLegende("#f1a340", "perd 1 à 10 points"),
    EntreeLegende("#f7f7f7", "moins d’un point"),
    EntreeLegende("#7fabd0", "gagne 1 à 10 points"),
    EntreeLegende("#0b4a82", "gagne plus de 10 points"),
    SANS_DONNEE,
)


def comparer(partage: Partage, dossier: Path, *, forcer: bool) -> Suivi:
    """Comparer un diagnostic antérieur à l'étude affichée ; gardé en mémoire.

    Raises
    ------
    ErreurConfiguration
        Hypothèses différentes (et ``forcer`` est faux), ou rien en commun.
    ErreurDonnees
        Dossier qui n'est pas un résultat complet.
    """

    def calculer() -> Suivi:
        avant = lire_resultats(dossier)
        territoire = partage.territoire.dossier or dossier.parent
        apres = lire_resultats(territoire / DOSSIER_ETUDE)
        return comparer_diagnostics(
            *(Diagnostic(lu.acces, lu.indicateurs, lu.description) for lu in (avant, apres)),
            forcer=forcer,
        )

    instant = (dossier / "resultat.json").stat().st_mtime_ns
    return partage.objets.obtenir(("suivi", str(dossier), instant, forcer), calculer)


def services_qui_changent(suivi: Suivi) -> list[str]:
    """Services comparés, ceux qui déplacent le plus d'habitants d'abord."""
    tout = suivi.evolution[suivi.evolution["zone_type"] == "territoire"]
    mouvement = (tout["gagnent_hab"] + tout["perdent_hab"]).fillna(0)
    ordre = tout.assign(_m=mouvement).sort_values("_m", ascending=False, kind="stable")
    return [str(s) for s in ordre["service"]]


def composer_evolution(
    partage: Partage, suivi: Suivi, reglages: Reglages, service: str
) -> Classement:
    """Zones classées par habitants qui passent d'un côté à l'autre du seuil.

    Parameters
    ----------
    service
        Un de ceux de :func:`services_qui_changent`.
    """
    ici = suivi.evolution[suivi.evolution["service"] == service]
    tout = ici[ici["zone_type"] == "territoire"].iloc[0]
    zones = ici[ici["zone_type"] == reglages.regroupement]
    mini, maxi = reglages.bornes_taille_hab
    zones = zones[zones["population_apres_hab"].between(mini, maxi)]
    zones = zones.assign(
        mouvement=zones["gagnent_hab"] + zones["perdent_hab"],
        variation=zones["effet_acces_hab"] / zones["population_avant_hab"].where(lambda p: p > 0),
    ).sort_values(["mouvement", "zone_nom"], ascending=[False, True], ignore_index=True)
    libelles = {s.id: s.libelle for s in partage.resultat.services}
    gagnent, perdent = float(tout["gagnent_hab"]), float(tout["perdent_hab"])
    solde = gagnent - perdent
    return Classement(
        titre=f"Qu’est-ce qui a changé pour « {libelles.get(service, service)} » ?",
        chiffre=f"{'+' if solde > 0 else ''}{nombre(solde)}",
        chiffre_legende=(
            f"habitants à portée, à population égale : {nombre(gagnent)} gagnent le service, "
            f"{nombre(perdent)} le perdent ; de {part(float(tout['part_avant']))} à "
            f"{part(float(tout['part_apres']))} de la population"
        ),
        phrase=_dire_causes(suivi, float(tout["effet_population_hab"])),
        colonnes=(
            Colonne(nommer_type(reglages.regroupement), nombre=False),
            Colonne("gagnent"),
            Colonne("perdent"),
            Colonne("avant"),
            Colonne("après"),
            Colonne("effet de la population", facultative=True),
        ),
        lignes=tuple(_ligne(z) for _, z in zones.iterrows()),
        legende=LEGENDE_VARIATION,
        legende_titre="Habitants qui gagnent ou perdent le service, à population égale",
        hypotheses=(
            "L’évolution se décompose exactement : effet d’accès (services, rues, horaires) et "
            "effet de population."
        ),
        table=zones,
    )


def _dire_causes(suivi: Suivi, effet_population_hab: float) -> str:
    """À quoi tient l'évolution, et ce qui diffère entre les deux diagnostics."""
    ecarts = [*suivi.ecarts.hypotheses, *suivi.ecarts.donnees]
    phrases = [suivi.cause.replace("'", "’")]
    if ecarts:
        reste = len(ecarts) - ECARTS_MONTRES
        suite = f" ; et {pluriel(reste, 'autre')}" if reste > 0 else ""
        phrases.append(f"Ce qui diffère : {' ; '.join(ecarts[:ECARTS_MONTRES])}{suite}.")
    if round(effet_population_hab):
        phrases.append(
            f"Les habitants aussi ont changé : {_signer(effet_population_hab)} à portée."
        )
    return " ".join(phrases)


def _ligne(zone: pd.Series[Any]) -> LigneZone:
    variation = float(zone["variation"])
    fini = bool(np.isfinite(variation))
    return LigneZone(
        code=str(zone["zone_code"]),
        cellules=(
            str(zone["zone_nom"]),
            nombre(float(zone["gagnent_hab"])),
            nombre(float(zone["perdent_hab"])),
            part(float(zone["part_avant"])),
            part(float(zone["part_apres"])),
            _signer(zone["effet_population_hab"]),
        ),
        classe=_classer(variation) if fini else len(LEGENDE_VARIATION) - 1,
        barre=None,
        bulle=f"{zone['zone_nom']} : {pluriel(round(float(zone['gagnent_hab'])), 'habitant')} "
        f"gagnent, {nombre(float(zone['perdent_hab']))} perdent",
    )


def _classer(variation: float) -> int:
    """Rang de la classe : la classe du milieu contient ses deux bornes."""
    bas, petit_bas, petit_haut, haut = BORNES_VARIATION
    if variation < petit_bas:
        return 0 if variation < bas else 1
    if variation > petit_haut:
        return 4 if variation > haut else 3
    return 2


def _signer(valeur: float) -> str:
    valeur = float(valeur)
    return f"{'+' if round(valeur) > 0 else ''}{nombre(valeur)}"
