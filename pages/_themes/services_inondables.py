"""Vue « Services inondables » : lieux en zone inondable, et habitants qui n'ont qu'eux."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd
import shapely
import streamlit as st

from couches.couche import EntreeLegende
from couches.ecran.petit_fond import Entite
from couches.ecran.petite_carte import (
    calque_points,
)
from couches.textes import nombre, part, pluriel
from donnees_geo.thematiques.zones_inondables_codes import HORS_ZONE, NIVEAUX
from pages._commun.etat import est_projecteur
from pages._commun.gabarit import grand_chiffre, hypothese, message, phrase
from pages._commun.partage import Partage
from pages._themes import donnees, ecran
from pages._themes.cercles import COMMUNE, Cercles, montrer_cercles
from pages._themes.classes import COULEURS_MANQUE
from pages._themes.reglages import ReglagesPage

SERVICE: Final = "service"
COULEUR_CERCLES: Final = COULEURS_MANQUE[-1]
COULEUR_FERME: Final = "#c0392b"
COULEUR_OUVERT: Final = "#ffffff"
PIRES: Final = 5


def permettre(partage: Partage) -> dict[str, list[Any]]:
    """Réglages de la vue : service montré (vide : celui dont on dépend le plus), commune."""
    if donnees.themes(partage).zones_inondables is None:
        return {}
    return {
        SERVICE: ["", *(s.id for s in partage.resultat.services)],
        COMMUNE: ["", *partage.noms_communes],
    }


def regler(partage: Partage, reglages: ReglagesPage) -> None:
    """Choix du service."""
    if donnees.themes(partage).zones_inondables is None:
        return
    libelles = {"": "celui dont on dépend le plus"} | {
        s.id: s.libelle for s in partage.resultat.services
    }
    ecran.choisir_dans(reglages, SERVICE, "Service qui fermerait", libelles)


def afficher(partage: Partage, reglages: ReglagesPage) -> None:
    """Afficher la vue."""
    with ecran.avancement("Services inondables") as avancer:
        exposition = donnees.exposition(partage, avancer)
    if exposition is None:
        dire_sans_zone()
        return
    totaux = totaliser(exposition)
    if totaux.empty:
        st.html(phrase(f"Aucun lieu de service n’est dans {exposition.fermeture}."))
        st.html(hypothese(HORS_ZONE))
        return
    service = str(reglages[SERVICE]) or str(totaux["service"].iloc[0])
    libelles = {s.id: s.libelle for s in partage.resultat.services}
    communes = dependants_par_commune(exposition, service)
    commune = str(reglages[COMMUNE])
    with ecran.vue(
        f"Si le service « {libelles[service]} » fermait en zone inondable, qui n’en aurait plus ?",
        f"Lieux dans {exposition.fermeture}",
    ) as (gauche, droite):
        with gauche:
            _carte(partage, reglages, exposition, service, communes)
        droite.html(_panneau(partage, exposition, totaux, service, communes, commune))
    if est_projecteur():
        return
    ecran.section("Tous les services qui ont un lieu en zone inondable")
    _tableau(reglages, totaux, libelles, service)
    lieux = lister_lieux(partage, exposition, service)
    if len(lieux):
        ecran.section(f"Lieux inondables du service « {libelles[service]} »")
        ecran.montrer_table(
            lieux.drop(columns=["x", "y", "ferme", "severite"]), {}, cle_table="table_lieux"
        )
    ecran.telecharger(
        {
            "Services exposés": (exposition.services, "services_inondables.csv"),
            "Habitants dépendants": (exposition.dependance, "dependance_services.csv"),
            "Lieux du service": (lieux, f"lieux_inondables_{service}.csv"),
        }
    )


def dire_sans_zone() -> None:
    """Dire que le territoire n'a pas de zones inondables."""
    st.html(
        message(
            "Ce territoire n’a pas de zones inondables.",
            "Ajoutez [couches] zones_inondables au manifeste (PPR, TRI, AZI).",
            genre="note",
        )
    )


def totaliser(exposition: donnees.Exposition) -> pd.DataFrame:
    """Lignes du territoire, le service dont le plus d'habitants dépendent d'abord."""
    table = exposition.dependance
    lignes = table[table["zone_type"] == "territoire"]
    return lignes.sort_values(
        ["population_dependante_hab", "equipements_inondables", "service"],
        ascending=[False, False, True],
        ignore_index=True,
    )


def dependants_par_commune(exposition: donnees.Exposition, service: str) -> pd.DataFrame:
    """Communes où quelqu'un dépend des lieux inondables d'un service, la plus touchée d'abord."""
    table = exposition.dependance
    lignes = table[(table["zone_type"] == "commune") & (table["service"] == service)]
    return lignes.sort_values(
        ["population_dependante_hab", "zone_code"], ascending=[False, True], ignore_index=True
    )


def lister_lieux(partage: Partage, exposition: donnees.Exposition, service: str) -> pd.DataFrame:
    """Lieux d'un service en zone inondable, les plus exposés d'abord.

    Returns
    -------
    pandas.DataFrame
        ``lieu``, ``commune``, ``zone`` (ses classes), ``severite``, ``ferme`` (supposé fermé),
        ``x`` et ``y`` (mètres) ; une ligne par lieu.
    """
    classes = exposition.classes[exposition.classes["service"] == service]
    niveaux = {(f, n.code): n.libelle for f, liste in NIVEAUX.items() for n in liste}
    zones = pd.Series(
        [niveaux[f, n] for f, n in zip(classes["famille"], classes["niveau"], strict=True)],
        index=classes.index,
        dtype="str",
    )
    rangs = classes["equipement"].to_numpy(dtype=np.int64)
    par_lieu = zones.groupby(rangs).agg(" ; ".join)
    severite = classes["severite"].groupby(rangs).max()
    lieux = partage.territoire.equipements.iloc[par_lieu.index.to_numpy(dtype=np.int64)]
    xy = shapely.get_coordinates(shapely.point_on_surface(lieux.geometry.to_numpy()))
    noms = lieux["nom"].astype(str).to_numpy()
    table = pd.DataFrame(
        {
            "lieu": np.where(noms != "", noms, "sans nom"),
            "commune": lieux["code_commune"].astype(str).map(partage.noms_communes).to_numpy(),
            "zone": par_lieu.to_numpy(),
            "severite": severite.to_numpy(),
            "ferme": exposition.fermes[par_lieu.index.to_numpy(dtype=np.int64)],
            "x": xy[:, 0].round(),
            "y": xy[:, 1].round(),
        }
    )
    table["commune"] = table["commune"].fillna("hors du territoire")
    table["supposé fermé"] = np.where(table["ferme"], "oui", "non")
    return table.sort_values(
        ["ferme", "severite", "commune", "lieu"],
        ascending=[False, False, True, True],
        ignore_index=True,
    )


def _carte(
    partage: Partage,
    reglages: ReglagesPage,
    exposition: donnees.Exposition,
    service: str,
    communes: pd.DataFrame,
) -> None:
    habitants = communes["population_dependante_hab"].to_numpy(dtype=np.float64)
    lieux = lister_lieux(partage, exposition, service)
    points: list[Entite] = [
        {
            "x": ligne["x"],
            "y": ligne["y"],
            "lieu": ligne["lieu"],
            "zone": ligne["zone"],
            "couleur": COULEUR_FERME if ligne["ferme"] else COULEUR_OUVERT,
            "bord": "#ffffff" if ligne["ferme"] else COULEUR_FERME,
            "taille": 95.0 if ligne["ferme"] else 55.0,
            "choisie": False,
        }
        for ligne in lieux[::-1].to_dict("records")
    ]
    titre, zones, legende = donnees.calques_risque(partage)
    signes = [
        EntreeLegende(COULEUR_FERME, "supposé fermé", "rond"),
        EntreeLegende(COULEUR_OUVERT, "autre zone inondable", "rond"),
    ]
    montrer_cercles(
        partage,
        reglages,
        Cercles(
            communes["zone_code"].astype(str).tolist(),
            habitants,
            [COULEUR_CERCLES] * len(communes),
            {
                "n’auraient plus le service": [
                    pluriel(round(v), "habitant") for v in habitants.tolist()
                ]
            },
            "N’auraient plus le service",
            "habitants",
        ),
        f"Carte de {pluriel(len(points), 'lieu', 'lieux')} de service en zone inondable et, par "
        "commune, des habitants qui n’auraient plus le service ; les tableaux le disent aussi.",
        [("Lieux", signes), (titre, legende)],
        cle_carte="carte_services_inondables",
        dessous=zones,
        dessus=[calque_points(points, {"lieu": "lieu", "zone": "zone"})],
    )


def _panneau(
    partage: Partage,
    exposition: donnees.Exposition,
    totaux: pd.DataFrame,
    service: str,
    communes: pd.DataFrame,
    choisie: str,
) -> str:
    lignes = totaux[totaux["service"] == service]
    if lignes.empty:
        return phrase(f"Aucun lieu de ce service n’est dans {exposition.fermeture}.")
    ligne = lignes.iloc[0]
    habitants = float(ligne["population_dependante_hab"])
    fermes, tous = int(ligne["equipements_inondables"]), int(ligne["equipements"])
    blocs = [
        grand_chiffre(
            nombre(habitants),
            f"habitants ({part(float(ligne['part_dependante']))}) ont le service à portée, et ne "
            "l’auraient plus",
        ),
        phrase(
            f"{pluriel(fermes, 'lieu', 'lieux')} sur {nombre(tous)} sont dans "
            f"{exposition.fermeture}."
        ),
    ]
    if choisie:
        sienne = communes[communes["zone_code"].astype(str) == choisie]
        valeur = float(sienne["population_dependante_hab"].sum())
        nom = partage.noms_communes[choisie]
        blocs.append(phrase(f"{nom} : {pluriel(round(valeur), 'habitant')} dans ce cas."))
    if len(communes):
        blocs.append(
            '<h3 class="dh-h2">Communes les plus dépendantes</h3>'
            + ecran.tableau_court(
                ("commune", "habitants", "part"),
                [
                    (str(c["zone_nom"]), nombre(float(c["population_dependante_hab"])),
                     part(float(c["part_dependante"]), 0))
                    for c in communes.head(PIRES).to_dict("records")
                ],
                "Communes les plus dépendantes",
            )
        )  # fmt: skip
    blocs.append(
        hypothese(
            f"Hypothèse : un service ferme quand son lieu est dans {exposition.fermeture} ; les "
            "rues restent ouvertes. Ce n’est pas une hauteur d’eau. " + HORS_ZONE
        )
    )
    return "".join(blocs)


def _tableau(
    reglages: ReglagesPage, totaux: pd.DataFrame, libelles: dict[str, str], service: str
) -> None:
    montre = pd.DataFrame(
        {
            "service": totaux["service"].map(libelles),
            "lieux supposés fermés": totaux["equipements_inondables"],
            "lieux en tout": totaux["equipements"],
            "habitants qui en dépendent": totaux["population_dependante_hab"].round(),
            "part": totaux["part_dependante"],
        }
    )
    ecran.montrer_table(
        montre,
        {
            "lieux en tout": ecran.ENTIER,
            "habitants qui en dépendent": ecran.ENTIER,
            "part": ecran.PART_FINE,
        },
        cle_table="table_services_inondables",
        codes=totaux["service"].astype(str).tolist(),
        choisi=service,
        choisir=lambda code: reglages.poser(SERVICE, code),
    )


VUE: Final = ecran.Vue("Services inondables", permettre, regler, afficher)
