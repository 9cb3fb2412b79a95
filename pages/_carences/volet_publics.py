"""Volet « Seniors et enfants » : ce qu'une tranche d'âge perd à son pas, ou n'a pas à portée."""

from __future__ import annotations

from typing import Final

import pandas as pd

from accessibilite.bilans.indicateurs import PLUS_RAPIDE
from couches.composition import nommer_service
from couches.textes import duree, nombre, part, pluriel
from pages._carences.classement import (
    BORNES_FINES,
    BORNES_PARTS,
    Classement,
    Colonne,
    bulles_habitants,
    classer_part,
    composer_lignes,
    dire_premiere,
    legende_parts,
    nommer_type,
    table_des_zones,
    trier_zones,
)
from pages._carences.donnees import Analyses
from pages._carences.reglages import Reglages, publics_proposes
from pages._commun.partage import Partage

_ZONES: Final = ("zone_code", "zone_nom", "zone_type")


def services_du_public(analyses: Analyses, public: str) -> list[str]:
    """Services mesurés pour une tranche d'âge."""
    table = _table(analyses, public)
    presents = list(dict.fromkeys(table["service"].astype(str))) if len(table) else []
    # La boulangerie d'abord : c'est l'exemple que chacun comprend.
    return sorted(presents, key=lambda s: s != "boulangerie")


def _table(analyses: Analyses, public: str) -> pd.DataFrame:
    """Lignes d'une tranche d'âge, marcheurs ou enfants, sous les mêmes noms de colonnes."""
    for nom in ("marcheurs", "publics"):
        table = analyses.get(nom, pd.DataFrame())
        if len(table) and (table["groupe"] == public).any():
            ici = table[table["groupe"] == public]
            if nom == "marcheurs":
                return ici.assign(manque=ici["perdent_hab"], mode="marche")
            ici = ici[ici["mode"] == PLUS_RAPIDE]
            return ici.assign(
                manque=ici["population_groupe_hab"] - ici["desservie_hab"], vitesse_kmh=float("nan")
            )
    return pd.DataFrame()


def composer_publics(
    partage: Partage, analyses: Analyses, reglages: Reglages, service: str
) -> Classement:
    """Zones classées par personnes de la tranche d'âge qui perdent le service, ou en sont loin.

    Parameters
    ----------
    service
        Un de ceux de :func:`services_du_public`.
    """
    toutes = _table(analyses, reglages.public)
    ici = toutes[toutes["service"] == service]
    zones = ici[ici["zone_type"] == reglages.regroupement]
    tout = ici[ici["zone_type"] == "territoire"].iloc[0]
    table = trier_zones(
        table_des_zones(
            zones,
            poids="population_groupe_hab",
            desservie="desservie_hab",
            temps_median_s="temps_median_s",
        ),
        reglages,
    )
    objet = next(s for s in partage.resultat.services if s.id == service)
    age = publics_proposes(partage)[reglages.public]
    lent = pd.notna(tout["vitesse_kmh"])
    seuil = duree(float(tout["seuil_s"]))
    vitesse = nombre(float(tout["vitesse_kmh"]), 1)
    if lent:
        titre = f"Où les {age} perdent-ils {nommer_service(objet)}, à leur pas ?"
        quoi = f"ne vont plus à pied en {seuil} à ce service, à leur pas de {vitesse} km/h"
    else:
        titre = f"Où les {age} sont-ils loin {_de(nommer_service(objet))} ?"
        quoi = f"sont à plus de {seuil} par la règle du palier"
    bornes = BORNES_FINES if lent else BORNES_PARTS
    total, manque = float(tout["population_groupe_hab"]), float(tout["manque"])
    phrases = [dire_premiere(table, reglages, par_population=True)]
    if lent:
        phrases.append(_dire_plus_perdu(partage, toutes))
    elif str(tout.get("ecart", "")):
        phrases.append(f"À savoir : {tout['ecart']}.")
    return Classement(
        titre=titre,
        chiffre=nombre(manque),
        chiffre_legende=(
            f"des {nombre(total)} habitants de {age} "
            f"({part(manque / total if total > 0 else float('nan'))}) {quoi}"
        ),
        phrase=" ".join(p for p in phrases if p),
        colonnes=(
            Colonne(nommer_type(reglages.regroupement), nombre=False),
            Colonne("le perdent" if lent else "en sont loin"),
            Colonne("part", barre=True),
            Colonne("sur", facultative=True),
            Colonne("médiane à leur pas" if lent else "temps médian"),
        ),
        lignes=composer_lignes(
            table,
            [
                (nombre(float(m)), part(float(p)), nombre(float(t)), duree(float(s)))
                for m, p, t, s in zip(
                    table["manque"],
                    table["part"],
                    table["poids"],
                    table["temps_median_s"],
                    strict=True,
                )
            ],
            bulles_habitants(table, f" de {age}"),
            [classer_part(float(p), bornes) for p in table["part"]],
        ),
        legende=legende_parts(bornes),
        legende_titre=f"Part des {age} "
        + ("qui perdent ce service à leur pas" if lent else "loin de ce service"),
        hypotheses=(
            f"À {nombre(partage.parametres.vitesse_marche_kmh, 1)} km/h ils l’atteignent ; à "
            f"{vitesse} km/h, non. Âges d’après les carreaux de la population."
            if lent
            else "Âges d’après les carreaux de la population ; les tranches ne suivent pas "
            "exactement les niveaux scolaires."
        ),
        table=table,
    )


def _de(nom: str) -> str:
    """« d’une école », « du collège » : le nom porte déjà son article indéfini."""
    return f"d’{nom}" if nom.startswith("u") else f"de {nom}"


def _dire_plus_perdu(partage: Partage, toutes: pd.DataFrame) -> str:
    tout = toutes[toutes["zone_type"] == "territoire"]
    if tout.empty or not tout["manque"].max() > 0:
        return ""
    pire = tout.sort_values("manque", ascending=False, kind="stable").iloc[0]
    service = next(s for s in partage.resultat.services if s.id == pire["service"])
    return (
        f"Ce qu’ils perdent le plus : {service.libelle}, pour "
        f"{pluriel(round(float(pire['manque'])), 'habitant')}."
    )
