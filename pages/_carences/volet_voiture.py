"""Volet « Transport collectif ou voiture » : où le bus ne peut pas concurrencer la voiture."""

from __future__ import annotations

import itertools
from typing import Final

import numpy as np

from accessibilite.analyses.comparaison_modes import (
    calculer_ratios,
    classer_ratios,
    nommer_ratios,
)
from accessibilite.etude import colonne_temps
from couches import styles
from couches.composition import decrire_mode, nommer_service
from couches.couche import EntreeLegende
from couches.textes import nombre, part, pluriel
from donnees_geo.configuration.analyses import lire_parametres_analyses
from pages._carences.classement import (
    SANS_DONNEE,
    SANS_TRAJET,
    CarreauxClasses,
    Classement,
    Colonne,
    bulles_habitants,
    composer_lignes,
    dire_premiere,
    nommer_type,
    table_des_zones,
    trier_zones,
)
from pages._carences.donnees import Analyses
from pages._carences.reglages import Reglages
from pages._commun.partage import Partage

#: Couleurs du rapport, du concurrentiel au plus lent.
COULEURS: Final = ("#e3efda", "#f6e3b4", "#e9b45f", "#c9722b", "#7a3410")


def services_par_tc(partage: Partage) -> list[str]:
    """Services, ceux que la règle de leur palier veut joindre en transport collectif d'abord."""
    admis = {r.palier for r in partage.parametres.seuils if "tc" in r.modes}
    return [s.id for s in sorted(partage.resultat.services, key=lambda s: s.palier not in admis)]


def composer_voiture(
    partage: Partage, analyses: Analyses, reglages: Reglages, service: str
) -> Classement:
    """Zones classées par habitants pour qui le transport collectif est trop lent, ou absent.

    Parameters
    ----------
    service
        Service rejoint.
    """
    bornes = lire_parametres_analyses().ratios_tc
    noms = nommer_ratios(bornes)
    # Trop lent : au-delà de la deuxième borne (deux fois la voiture), ou impossible.
    rang_seuil = min(1, len(bornes) - 1)
    lents, seuil = noms[rang_seuil + 1 : len(bornes) + 2], bornes[rang_seuil]
    toutes = analyses["voiture_tc"]
    toutes = toutes[toutes["service"] == service]
    toutes = toutes.assign(manque=toutes[[f"{n}_hab" for n in lents]].sum(axis=1))
    zones = toutes[toutes["zone_type"] == reglages.regroupement]
    tout = toutes[toutes["zone_type"] == "territoire"].iloc[0]
    table = trier_zones(
        table_des_zones(
            zones,
            poids="population_hab",
            impossible="tc_impossible_hab",
            ratio_median="ratio_median",
        ),
        reglages,
    )
    objet = next(s for s in partage.resultat.services if s.id == service)
    manque, total = float(tout["manque"]), float(tout["population_hab"])
    impossible = pluriel(round(float(tout["tc_impossible_hab"])), "habitant")
    return Classement(
        titre=f"Où le bus ne peut-il pas concurrencer la voiture vers {nommer_service(objet)} ?",
        chiffre=nombre(manque),
        chiffre_legende=(
            f"habitants sur {nombre(total)} "
            f"({part(manque / total if total > 0 else float('nan'))}) mettent plus de "
            f"{nombre(seuil, 1).removesuffix(',0')} fois le temps de la voiture, ou n’ont pas "
            "de trajet"
        ),
        phrase=" ".join(
            (
                dire_premiere(table, reglages, par_population=True),
                f"Sans aucun trajet dans la durée étudiée : {impossible}.",
            )
        ).strip(),
        colonnes=(
            Colonne(nommer_type(reglages.regroupement), nombre=False),
            Colonne("trop lent"),
            Colonne("part", barre=True),
            Colonne("dont sans trajet", facultative=True),
            Colonne("rapport médian"),
        ),
        lignes=composer_lignes(
            table,
            [
                (nombre(float(m)), part(float(p)), nombre(float(i)), _dire_rapport(float(r)))
                for m, p, i, r in zip(
                    table["manque"],
                    table["part"],
                    table["impossible"],
                    table["ratio_median"],
                    strict=True,
                )
            ],
            bulles_habitants(table),
            classer_ratios(table["ratio_median"].to_numpy(dtype=np.float64), bornes).tolist(),
        ),
        legende=_legende(bornes),
        legende_titre="Temps en transport collectif ÷ temps en voiture"
        + ("" if reglages.carreaux else ", médiane des habitants"),
        hypotheses=(
            f"{decrire_mode(partage.parametres, 'tc', partage.resultat.jour).capitalize()} ; "
            f"{decrire_mode(partage.parametres, 'voiture')}, sans recherche de stationnement : le "
            "rapport est un maximum là où se garer prend du temps."
        ),
        table=table,
        carreaux=_carreaux(partage, service, bornes) if reglages.carreaux else None,
        couleur_barre=COULEURS[-1],
    )


def _dire_rapport(rapport: float) -> str:
    if np.isinf(rapport):
        return "sans trajet"
    return f"× {nombre(rapport, 1)}" if np.isfinite(rapport) else "–"


def _legende(bornes: tuple[float, ...]) -> tuple[EntreeLegende, ...]:
    textes = [nombre(b, 1).removesuffix(",0") for b in bornes]
    milieux = [f"{a} à {b} fois" for a, b in itertools.pairwise(textes)]
    classes = [f"jusqu’à {textes[0]} fois", *milieux, f"plus de {textes[-1]} fois"]
    return (
        *(EntreeLegende(c, t) for c, t in zip(_teintes(len(classes)), classes, strict=True)),
        SANS_TRAJET,
        SANS_DONNEE,
    )


def _teintes(nombre_classes: int) -> tuple[str, ...]:
    """Couleurs des classes, de la plus claire à la plus foncée."""
    rangs = np.linspace(0, len(COULEURS) - 1, nombre_classes).round().astype(int)
    return tuple(COULEURS[r] for r in rangs)


def _carreaux(partage: Partage, service: str, bornes: tuple[float, ...]) -> CarreauxClasses:
    acces = partage.resultat.acces
    tc, voiture = (
        acces[colonne_temps(service, m)].to_numpy(dtype=np.float64) for m in ("tc", "voiture")
    )
    classes = classer_ratios(calculer_ratios(tc, voiture), bornes)
    codes = np.array(
        [*range(len(bornes) + 1), styles.INACCESSIBLE, styles.SANS_DONNEE], dtype=np.uint8
    )
    return CarreauxClasses(codes[classes], _teintes(len(bornes) + 1))
