"""La carte et ses chiffres : seule partie recalculée à un clic."""

from __future__ import annotations

from typing import Any, Final

import streamlit as st
from streamlit_folium import st_folium

from couches.composition import (
    Theme,
    composer_couches,
    decrire_mode,
    dire_hypotheses,
    poser_question,
)
from couches.ecran.carte import (
    Cadrage,
    Consigne,
    IsochroneVoulue,
    Pointage,
    construire_carte,
    construire_consigne,
    ecrire_points,
)
from couches.ecran.couches_web import CalqueMontre
from couches.licences import mention_sources
from couches.textes import part
from donnees_geo.conventions import LIBELLES_MODES
from donnees_geo.erreurs import ErreurProjet
from pages._carte.calques import calques_du_territoire, trouver_calque
from pages._carte.chiffres import (
    PIRES_MONTREES,
    Chiffres,
    calculer_chiffres,
    dire_desservis,
    dire_zone,
    emprise_de_la_zone,
    nom_de_la_zone,
)
from pages._carte.demandes import POINTS_MAX, Point, lire_isochrone
from pages._carte.mesures import Mesure, mesurer
from pages._carte.reglages import ajouter_point, garder_la_vue
from pages._commun import gabarit
from pages._commun.etat import Etat, ecrire_adresse, est_projecteur, points_courants
from pages._commun.partage import Partage

#: Hauteur donnée au composant ; la feuille de style l'ajuste à la fenêtre.
HAUTEUR: Final = 700
CLE_CARTE: Final = "carte"
ECHELLE_PROJECTEUR: Final = 1.5


@st.fragment
def afficher_carte(partage: Partage, etat: Etat, theme: Theme) -> None:
    """Titre, carte, chiffres et tableau."""
    _lire_clic()
    chiffres = calculer_chiffres(partage, theme, etat.zone)
    projecteur = est_projecteur()
    with st.container(key="tete"):
        st.html(
            gabarit.titre(
                poser_question(partage.resultat, theme), nom_de_la_zone(partage, etat.zone)
            )
        )
    with st.container(key="corps"):
        gauche, droite = st.columns([2.35, 1], gap="medium")
        with gauche, st.container(key="cadre_carte"):
            _carte(partage, etat, theme, projecteur=projecteur)
        with droite, st.container(key="panneau"):
            _chiffres(partage, theme, chiffres)
            _points(partage, etat, theme)
            if not projecteur or not points_courants():
                _pires(etat, chiffres)
    if not projecteur:
        _dessous(partage, etat, theme, chiffres)
    ecrire_adresse(partage)


def _lire_clic() -> None:
    """Ajouter le point cliqué ; un même clic n'est pris qu'une fois."""
    etat_carte: Any = st.session_state.get(CLE_CARTE) or {}
    clic = etat_carte.get("last_clicked") if isinstance(etat_carte, dict) else None
    if not clic:
        return
    point: Point = (round(float(clic["lng"]), 5), round(float(clic["lat"]), 5))
    if st.session_state.get("dernier_clic") != point:
        st.session_state["dernier_clic"] = point
        ajouter_point(point)


def _carte(partage: Partage, etat: Etat, theme: Theme, *, projecteur: bool) -> None:
    o, s, e, n = partage.emprise_degres
    base = construire_carte(
        f"Carte : {partage.territoire.nom}",
        ((s + n) / 2, (o + e) / 2),
        partage.styles,
        partage.adresses,
        session=st.session_state["jeton"],
        projecteur=projecteur,
    )
    consigne = _consigne(partage, etat, theme, projecteur=projecteur)
    st_folium(
        base,
        key=CLE_CARTE,
        height=HAUTEUR,
        use_container_width=True,
        returned_objects=["last_clicked"],
        feature_group_to_add=construire_consigne(consigne, partage.adresses),
    )


def _consigne(partage: Partage, etat: Etat, theme: Theme, *, projecteur: bool) -> Consigne:
    a = partage.adresses
    return Consigne(
        fond=etat.fond,
        fond_mention=mention_sources(partage.territoire),
        carreaux=a.carreaux(theme.ids, theme.mode, theme.jour),
        carreaux_valeur=a.valeur(theme.ids, theme.mode, theme.jour),
        carreaux_visible="carreaux" in etat.couches,
        opacite=etat.opacite / 100,
        lieux=a.lieux(theme.ids),
        lieux_visibles="lieux" in etat.couches and not theme.panier,
        reperes=a.reperes(
            noms="noms" in etat.couches,
            limites="limites" in etat.couches,
            echelle=ECHELLE_PROJECTEUR if projecteur else 1.0,
            zone=etat.zone,
        ),
        isochrones=_isochrones(partage, etat),
        pointage=Pointage(
            gabarit=_adresse_isochrone(partage, etat, "POINTS"),
            points=points_courants(),
            garder=etat.garder,
            fusion=etat.fusion and etat.garder,
            points_max=POINTS_MAX,
        ),
        cadrage=_cadrage(partage, etat),
        calques=_calques(partage, etat),
        session=st.session_state["jeton"],
        echelle=ECHELLE_PROJECTEUR if projecteur else 1.0,
    )


def _calques(partage: Partage, etat: Etat) -> tuple[CalqueMontre, ...]:
    """Calques montrés ; un fichier retiré entre-temps ne l'est plus."""
    connus = {*calques_du_territoire(partage), *st.session_state["depots"].calques}
    session = st.session_state["jeton"]
    return tuple(
        CalqueMontre(trouver_calque(partage, v, session), str(v), v.opacite / 100)
        for v in etat.calques
        if v.id in connus
    )


def _adresse_isochrone(partage: Partage, etat: Etat, points: str) -> str:
    return partage.adresses.isochrone(
        points,
        mode=etat.iso_mode,
        minutes=etat.iso_minutes,
        sens=etat.iso_sens,
        jour=etat.jour if etat.iso_mode == "tc" else "",
    )


def _groupes(etat: Etat) -> list[tuple[Point, ...]]:
    """Points par isochrone : un chacun, ou tous ensemble."""
    points = points_courants()
    if etat.fusion and etat.garder and points:
        return [points]
    return [(p,) for p in points]


def _isochrones(partage: Partage, etat: Etat) -> tuple[IsochroneVoulue, ...]:
    return tuple(
        IsochroneVoulue(
            _adresse_isochrone(partage, etat, ecrire_points(points)), points, rang, rang + 1
        )
        for rang, points in enumerate(_groupes(etat))
    )


def _cadrage(partage: Partage, etat: Etat) -> Cadrage:
    genre, numero = st.session_state["cadrage"]
    vue = st.session_state.get("vue_voulue")
    if genre == "vue" and vue is not None:
        return Cadrage(f"vue-{numero}", centre=(vue[0], vue[1]), zoom=vue[2])
    return Cadrage(f"zone-{numero}", bornes=emprise_de_la_zone(partage, etat.zone))


def _chiffres(partage: Partage, theme: Theme, chiffres: Chiffres) -> None:
    zone = chiffres.zone
    legende = composer_couches(partage.territoire, partage.etude(theme.jour), theme, partage.styles)
    temps = next(c for c in legende if c.id == "carreaux").legende
    rang = sum(b <= theme.seuil_s for b in partage.styles.bornes_s)
    if theme.seuil_s not in partage.styles.bornes_s:
        rang = 0
    st.html(
        gabarit.grand_chiffre(
            part(float(zone["part"])), dire_desservis(theme, chiffres, court=est_projecteur())
        )
        + gabarit.phrase(dire_zone(partage, theme, chiffres, mediane=not est_projecteur()))
        + gabarit.legende_chiffree(
            temps,
            chiffres.classes,
            float(zone["poids"]),
            rang_seuil=rang,
            unite=chiffres.unite,
        )
        + gabarit.hypothese(f"Hypothèses : {dire_hypotheses(partage.etude(theme.jour), theme)}.")
    )


def _pires(etat: Etat, chiffres: Chiffres) -> None:
    if etat.zone.startswith("commune:") or chiffres.communes.empty:
        return
    pires = chiffres.communes[chiffres.communes["non_desservi"] >= 0.5].head(PIRES_MONTREES)
    st.html(gabarit.liste_pires(pires, "Communes les plus concernées", chiffres.unite))


def _points(partage: Partage, etat: Etat, theme: Theme) -> None:
    groupes = _groupes(etat)
    if not groupes:
        return
    mesures: list[Mesure] = []
    for points in groupes:
        try:
            mesures.append(_mesurer(partage, etat, points))
        except ErreurProjet as erreur:
            st.html(gabarit.message(erreur.message, erreur.conseil or ""))
            st.session_state["points"] = tuple(p for p in points_courants() if p not in points)
    if not mesures:
        return
    rangs = {s.id: i for i, s in enumerate(partage.territoire.services)}
    montres = () if theme.panier and est_projecteur() else theme.services
    services = [(rangs[s.id], s.libelle) for s in montres]
    panier = [rangs[s.id] for s in theme.services] if theme.panier else []
    p = partage.parametres
    reunis = len(groupes[0]) > 1
    titres = ["réunis"] if reunis else [f"point {i + 1}" for i in range(len(mesures))]
    sens = "Depuis" if etat.iso_sens == "depuis" else "Vers"
    pluriel = "les points" if len(points_courants()) > 1 else "le point"
    st.html(
        f'<h2 class="dh-h2">{sens} {pluriel}, {LIBELLES_MODES[etat.iso_mode]}</h2>'
        + gabarit.tableau_points(
            titres,
            partage.styles.isochrones,
            [m.atteinte for m in mesures],
            "habitants" if partage.ponderation[1] else "m²",
            services,
            panier,
        )
        + gabarit.hypothese(
            f"Comptés sur le réseau ; services au plus grand seuil ; "
            f"{decrire_mode(p, etat.iso_mode, partage.etude(etat.jour).jour)}."
        )
    )
    st.button("Effacer les points", on_click=_effacer, key="effacer_points")


def _effacer() -> None:
    st.session_state["points"] = ()


def _mesurer(partage: Partage, etat: Etat, points: tuple[Point, ...]) -> Mesure:
    return mesurer(
        partage,
        lire_isochrone(
            {
                "points": ecrire_points(points),
                "mode": etat.iso_mode,
                "minutes": ",".join(str(m) for m in etat.iso_minutes),
                "sens": etat.iso_sens,
                "jour": etat.jour,
            }
        ),
    )


def _dessous(partage: Partage, etat: Etat, theme: Theme, chiffres: Chiffres) -> None:
    seuil = f"{theme.seuil_s / 60:g} min"
    if not chiffres.communes.empty:
        st.html(
            '<h2 class="dh-h2">Les mêmes chiffres, commune par commune</h2>'
            + gabarit.tableau_zones(chiffres.communes, "commune", seuil, chiffres.unite)
        )
    couches = composer_couches(partage.territoire, partage.etude(theme.jour), theme, partage.styles)
    montrees = {"fond", *etat.couches}
    visibles = [c for c in couches if c.id in montrees]
    visibles += [m.calque.en_couche() for m in _calques(partage, etat)]
    st.html(
        '<h2 class="dh-h2">Couches montrées et sources</h2>'
        + gabarit.legende_couches(visibles, partage.styles)
    )


__all__ = ["afficher_carte", "garder_la_vue"]
