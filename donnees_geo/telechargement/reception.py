"""Une source à la fois : ses fichiers reçus, découpés, mis en place, et ce qu'il en est dit."""

from __future__ import annotations

import email.utils
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Final

from donnees_geo.ecriture import ecrire_atomique
from donnees_geo.erreurs import Constat, ErreurDonnees, ErreurEcriture, ErreurProjet
from donnees_geo.gtfs.archive import ouvrir_archive
from donnees_geo.gtfs.arrets import lire_arrets
from donnees_geo.telechargement.adresses import (
    Morceau,
    Part,
    developper,
    flux_transport,
    lire_pages,
    ressources_datagouv,
)
from donnees_geo.telechargement.cache import Cache, Objet
from donnees_geo.telechargement.catalogue import Catalogue, SourceOuverte
from donnees_geo.telechargement.cible import Cible
from donnees_geo.telechargement.client import Service
from donnees_geo.telechargement.decoupe import compter_objets, installer
from donnees_geo.telechargement.modele import EtatSource, Statut
from donnees_geo.telechargement.recu import Recu, RienDansTerritoire
from donnees_geo.telechargement.trace import (
    FichierTrace,
    Trace,
    bornes_trace,
    decrire,
    ecrire_trace,
    est_a_jour,
    est_a_la_main,
)

Progression = Callable[[str, float], None]

#: Part de l'avancement d'une source que prend son téléchargement ; le reste est la découpe.
_PART_RECEPTION: Final = 0.7
#: Remarques dites en entier pour une source ; les suivantes sont comptées.
_REMARQUES_MAX: Final = 4


class Reception:
    """Traitement des sources d'un territoire.

    Parameters
    ----------
    cible, catalogue
        Territoire et catalogue.
    cache
        Accès aux fichiers publiés.
    trace
        Ce que le programme a déjà écrit ; complétée.
    dossier
        Dossier du territoire.
    aujourdhui
        Date du jour.

    Attributes
    ----------
    changements
        Phrases disant ce qui diffère du téléchargement précédent.
    """

    def __init__(
        self,
        cible: Cible,
        catalogue: Catalogue,
        cache: Cache,
        trace: Trace,
        dossier: Path,
        aujourdhui: date,
    ) -> None:
        self._cible = cible
        self._catalogue = catalogue
        self._cache = cache
        self._trace = trace
        self._dossier = dossier
        self._aujourdhui = aujourdhui
        self._deja = bool(trace.fichiers)
        self._flux_recus: dict[str, str] = {}
        self.changements: list[str] = []

    def traiter(self, source: SourceOuverte, avancer: Progression) -> EtatSource:
        """Recevoir et installer une source ; son échec devient un état."""
        if source.etendue == "manuelle" or est_a_la_main(
            self._trace, self._dossier, source.fichier
        ):
            return self._poser_a_la_main(source)
        try:
            morceaux, remarques = self._morceaux(source)
        except ErreurProjet as erreur:
            return self._echouer(source, erreur)
        statuts: list[Statut] = []
        echecs: list[ErreurProjet] = []
        for rang, morceau in enumerate(morceaux):

            def suivre(message: str, part: float, rang: int = rang) -> None:
                avancer(message, (rang + part) / len(morceaux))

            try:
                statut, remarque = self._installer(source, morceau, suivre)
                statuts.append(statut)
                remarques += [remarque] if remarque else []
            except ErreurProjet as erreur:
                echecs.append(erreur)
                if morceau.titre:
                    remarques.append(f"{morceau.titre} : {_en_ligne(erreur)}")
        if source.recherche == "transport":
            self._retirer_disparus(source, morceaux, echecs)
        return self._conclure(source, statuts, echecs, remarques)

    def prevoir(self, source: SourceOuverte) -> EtatSource:
        """Dire ce qui serait téléchargé pour une source, et sa taille."""
        if source.etendue == "manuelle" or est_a_la_main(
            self._trace, self._dossier, source.fichier
        ):
            return self._poser_a_la_main(source)
        try:
            morceaux, _ = self._morceaux(source)
        except ErreurProjet as erreur:
            return self._echouer(source, erreur)
        parts = [p for m in morceaux if not self._deja_la(m) for p in m.parts]
        en_cache = [p for p in parts if any(self._cache.trouver(a, p.format) for a in p.adresses)]
        # Un service qui calcule sa réponse la calculerait aussi pour dire sa taille.
        calculee = source.etendue in ("emprise", "dalles")
        tailles = [None if calculee else self._mesurer(p) for p in parts if p not in en_cache]
        connues = [t for t in tailles if t is not None]
        message = f"{len(tailles)} fichier(s) à télécharger, {len(en_cache)} en cache"
        if len(connues) < len(tailles):
            message += f", {len(tailles) - len(connues)} de taille inconnue"
        return self._etat(
            source,
            Statut.PREVU if tailles else Statut.A_JOUR,
            taille=sum(connues) if len(connues) == len(tailles) or connues else None,
            message=message,
        )

    def est_complete(self, source: SourceOuverte) -> bool:
        """Vrai si tous les fichiers d'une source sont là, et ne seraient pas redemandés."""
        return all(self._deja_la(m) for m in self._morceaux(source)[0])

    def reserver(self, source: SourceOuverte, remplacee: str) -> EtatSource:
        """Dire qu'une source de secours ne servirait qu'à défaut d'une autre."""
        return self._etat(
            source, Statut.SANS_OBJET, message=f"seulement si « {remplacee} » ne donne rien"
        )

    def ecarter(self, source: SourceOuverte, raison: str) -> EtatSource:
        """Laisser une source de secours inutile, et retirer le fichier qu'elle avait donné."""
        if source.fichier in self._trace.fichiers:
            self._retirer(source.fichier)
        return self._etat(source, Statut.SANS_OBJET, message=raison)

    def fichiers_de(self, source: SourceOuverte) -> tuple[str, ...]:
        """Fichiers présents d'une source, relatifs au dossier."""
        chemin = self._dossier / source.fichier
        if source.recherche == "transport":
            secours = {s.fichier for s in self._catalogue.sources if s.secours_de == source.id}
            noms = (f"{source.fichier}/{f.name}" for f in sorted(chemin.glob("*.zip")))
            return tuple(n for n in noms if n not in secours)
        return (source.fichier,) if chemin.is_file() else ()

    def _morceaux(self, source: SourceOuverte) -> tuple[tuple[Morceau, ...], list[str]]:
        """Fichiers à demander, et ce que la recherche a laissé."""
        if source.recherche is None:
            return developper(source, self._cible, self._catalogue), []
        reponse = self._lire_recherche(source)
        if source.recherche == "datagouv":
            return ressources_datagouv(source, reponse), []
        return flux_transport(source, reponse, self._cible, self._aujourdhui)

    def _lire_recherche(self, source: SourceOuverte) -> object:
        """Réponse JSON du catalogue en ligne d'une source."""
        part = Part("liste", source.adresses, "json")
        objet = self._obtenir_part(source, part, lambda _message, _part: None)[0]
        return json.loads(objet.chemin.read_text(encoding="utf-8-sig"))

    def _installer(
        self, source: SourceOuverte, morceau: Morceau, avancer: Progression
    ) -> tuple[Statut, str]:
        """Recevoir et mettre en place un fichier ; son statut, et ce qu'il faut en dire."""
        if est_a_la_main(self._trace, self._dossier, morceau.fichier):
            return Statut.A_LA_MAIN, ""
        if self._deja_la(morceau):
            if source.traitement == "gtfs":
                origine = self._trace.fichiers[morceau.fichier].origines[0]
                self._flux_recus[str(origine["sha256"])] = morceau.fichier
            return Statut.A_JOUR, ""
        recus, objets, manques = self._recevoir(source, morceau, avancer)
        remarque = f"manque {', '.join(manques)}" if manques else ""
        statut = Statut.PARTIEL if manques else Statut.RECU
        if est_a_jour(
            self._trace, self._dossier, morceau.fichier, bornes_trace(self._cible), objets
        ):
            if source.traitement == "gtfs":
                self._flux_recus[objets[0].sha256] = morceau.fichier
            return (Statut.PARTIEL if manques else Statut.A_JOUR), remarque
        if source.traitement == "gtfs":
            rejet = self._juger_flux(objets[0], morceau)
            if rejet:
                self._retirer(morceau.fichier)
                return Statut.SANS_OBJET, f"{morceau.titre or morceau.fichier} : {rejet}"
        chemin = self._ecrire(source, morceau, recus, objets, avancer)
        ancien = self._trace.fichiers.get(morceau.fichier)
        nouveau = decrire(morceau.fichier, chemin, source, self._cible, objets, complet=not manques)
        self._trace.fichiers[morceau.fichier] = nouveau
        # Aussitôt : un fichier écrit que la trace ignore passerait pour posé à la main.
        ecrire_trace(self._trace, self._dossier)
        self._noter_changement(source, ancien, nouveau)
        return statut, remarque

    def _ecrire(
        self,
        source: SourceOuverte,
        morceau: Morceau,
        recus: Sequence[Recu],
        objets: Sequence[Objet],
        avancer: Progression,
    ) -> Path:
        """Découper ce qui a été reçu et mettre le fichier en place."""
        chemin = self._dossier / morceau.fichier
        chemin.parent.mkdir(parents=True, exist_ok=True)

        def decouper(message: str, part: float) -> None:
            avancer(message, _PART_RECEPTION + (1 - _PART_RECEPTION) * part)

        try:
            with ecrire_atomique(chemin) as provisoire:
                installer(recus, self._cible, source, provisoire, decouper)
        except RienDansTerritoire:
            self._retirer(morceau.fichier)
            raise
        except ErreurEcriture:
            raise  # ce qui a été reçu n'est pas en cause
        except ErreurDonnees:
            # Un fichier que la lecture refuse ne resservira pas.
            for objet in objets:
                self._cache.oublier(objet)
            raise
        return chemin

    def _deja_la(self, morceau: Morceau) -> bool:
        """Vrai si le fichier présent vient, entier, des adresses voulues et de cette emprise.

        Il n'est alors pas redemandé, que le cache le garde ou non.
        """
        connu = self._trace.fichiers.get(morceau.fichier)
        if self._cache.rafraichir or connu is None or not connu.complet:
            return False
        voulues = tuple(a.partition("{debut}")[0] for p in morceau.parts for a in p.adresses)
        return (
            connu.emprise == bornes_trace(self._cible)
            and (self._dossier / morceau.fichier).is_file()
            and all(str(o["adresse"]).startswith(voulues) for o in connu.origines)
        )

    def _recevoir(
        self, source: SourceOuverte, morceau: Morceau, avancer: Progression
    ) -> tuple[list[Recu], list[Objet], list[str]]:
        """Objets de toutes les parts, et noms de celles qui manquent si elles sont séparables."""
        recus: list[Recu] = []
        objets: list[Objet] = []
        manques: list[str] = []
        faute: ErreurDonnees | None = None
        for rang, part in enumerate(morceau.parts):

            def suivre(message: str, fait: float, rang: int = rang) -> None:
                avancer(message, _PART_RECEPTION * (rang + fait) / len(morceau.parts))

            try:
                obtenus = self._obtenir_part(source, part, suivre)
            except ErreurDonnees as erreur:
                if not morceau.separables:
                    raise
                manques.append(f"{part.nom} ({_en_ligne(erreur)})")
                faute = faute or erreur
                continue
            objets += obtenus
            recus += [Recu(o.chemin, part.bornes) for o in obtenus]
        if faute is not None and not objets:
            raise faute
        return recus, objets, manques

    def _obtenir_part(self, source: SourceOuverte, part: Part, avancer: Progression) -> list[Objet]:
        """Objets d'une part, de la première adresse qui répond ; sinon la première faute."""
        premiere: ErreurDonnees | None = None

        def obtenir(adresse: str) -> Objet:
            return self._cache.obtenir(
                adresse,
                part.format,
                taille_max=source.taille_max_octets,
                somme=part.somme,
                suffixe_somme=source.suffixe_somme,
                service=Service(source.delai_reponse_s, compresse=bool(source.requete)),
                avancement=lambda recus, total: avancer(
                    f"{source.titre} : {recus / 1e6:.1f} Mo",
                    0.5 if total is None else recus / max(total, 1),
                ),
            )

        for adresse in part.adresses:
            try:
                pages = lire_pages(adresse, lambda a: obtenir(a).chemin, compter_objets)
                return [obtenir(page) for page in pages]
            except ErreurDonnees as erreur:
                premiere = premiere or erreur
        raise premiere or ErreurDonnees("Source sans adresse.", objet=source.id)

    def _mesurer(self, part: Part) -> int | None:
        if self._cache.client is None:
            return None
        return self._cache.client.mesurer(part.adresses[0])

    def _juger_flux(self, objet: Objet, morceau: Morceau) -> str:
        """Raison de laisser un flux GTFS ; vide s'il dessert le territoire et n'est pas double."""
        double = self._flux_recus.get(objet.sha256)
        if double is not None and double != morceau.fichier:
            return f"même fichier que {double}"
        constats: list[Constat] = []
        arrets = lire_arrets(
            ouvrir_archive(objet.chemin), self._cible.crs, self._cible.emprise_geo, constats
        )
        if not arrets["dans_emprise"].any():
            return "aucun arrêt ici"
        self._flux_recus[objet.sha256] = morceau.fichier
        return ""

    def _retirer_disparus(
        self, source: SourceOuverte, morceaux: Sequence[Morceau], echecs: Sequence[ErreurProjet]
    ) -> None:
        """Retirer les flux que le catalogue en ligne ne donne plus."""
        voulus = {m.fichier for m in morceaux}
        for nom, fichier in list(self._trace.fichiers.items()):
            if fichier.source == source.id and nom not in voulus and not echecs:
                self._retirer(nom)
                self.changements.append(f"{source.titre} : {nom} n'est plus publié, retiré.")

    def _retirer(self, fichier: str) -> None:
        """Ôter un fichier écrit par le programme (jamais un fichier de l'utilisateur)."""
        if not est_a_la_main(self._trace, self._dossier, fichier):
            (self._dossier / fichier).unlink(missing_ok=True)
        self._trace.fichiers.pop(fichier, None)

    def _noter_changement(
        self, source: SourceOuverte, ancien: FichierTrace | None, nouveau: FichierTrace
    ) -> None:
        if ancien is None:
            if self._deja:
                self.changements.append(f"{source.titre} : {nouveau.fichier} est nouveau.")
            return
        if ancien.sha256 == nouveau.sha256:
            effet = "sans effet sur le territoire"
        else:
            effet = "contenu du territoire changé"
        avant, apres = _version(ancien), _version(nouveau)
        if avant == apres and ancien.emprise != nouveau.emprise:
            raison = "emprise différente"
        else:
            raison = f"publication du {avant} remplacée par celle du {apres}"
        self.changements.append(f"{source.titre} : {raison}, {effet}.")

    def _poser_a_la_main(self, source: SourceOuverte) -> EtatSource:
        fichiers = self.fichiers_de(source)
        if fichiers:
            return self._etat(source, Statut.A_LA_MAIN, fichiers=fichiers)
        statut = Statut.MANQUANT if source.obligatoire else Statut.FACULTATIF
        return self._etat(source, statut, message=source.remarque)

    def _conclure(
        self,
        source: SourceOuverte,
        statuts: Sequence[Statut],
        echecs: Sequence[ErreurProjet],
        remarques: Sequence[str],
    ) -> EtatSource:
        """État d'une source d'après celui de ses fichiers."""
        message = " ; ".join(remarques[:_REMARQUES_MAX])
        if len(remarques) > _REMARQUES_MAX:
            message += f" ; et {len(remarques) - _REMARQUES_MAX} autre(s) remarque(s)"
        fichiers = self.fichiers_de(source)
        if not fichiers:
            rien = [e for e in echecs if isinstance(e, RienDansTerritoire)]
            if echecs and (len(rien) < len(echecs) or source.obligatoire):
                return self._echouer(source, echecs[0])
            statut = Statut.MANQUANT if source.obligatoire else Statut.SANS_OBJET
            return self._etat(
                source, statut, message=message or (rien[0].message if rien else "rien ici")
            )
        if echecs and not statuts:
            # L'ancien fichier reste : il est dit, avec la raison de l'échec.
            return self._etat(
                source,
                Statut.PARTIEL,
                fichiers=fichiers,
                message=f"ancien fichier gardé : {_en_ligne(echecs[0])}",
            )
        if echecs or Statut.PARTIEL in statuts:
            statut = Statut.PARTIEL
        elif Statut.RECU in statuts:
            statut = Statut.RECU
        elif Statut.A_JOUR in statuts:
            statut = Statut.A_JOUR
        else:
            statut = Statut.A_LA_MAIN
        return self._etat(source, statut, fichiers=fichiers, message=message)

    def _echouer(self, source: SourceOuverte, erreur: ErreurProjet) -> EtatSource:
        fichiers = self.fichiers_de(source)
        if fichiers:
            return self._etat(
                source,
                Statut.PARTIEL,
                fichiers=fichiers,
                message=f"ancien fichier gardé : {_en_ligne(erreur)}",
            )
        return self._etat(source, Statut.MANQUANT, message=_en_ligne(erreur) + _non_verifie(source))

    def _etat(
        self,
        source: SourceOuverte,
        statut: Statut,
        *,
        fichiers: Sequence[str] = (),
        taille: int | None = None,
        message: str = "",
    ) -> EtatSource:
        if fichiers and taille is None:
            taille = sum((self._dossier / f).stat().st_size for f in fichiers)
        attendu = source.fichier
        if source.recherche == "transport":
            attendu = f"{source.fichier}/*.zip"
        return EtatSource(
            id=source.id,
            titre=source.titre,
            obligatoire=source.obligatoire,
            statut=statut,
            fichiers=tuple(fichiers),
            taille_octets=taille,
            message=message,
            attendu=attendu,
            page=source.page,
            verifie=source.verifie or not source.adresses,
        )


def _version(fichier: FichierTrace) -> str:
    """Date de la publication, à défaut celle de la réception."""
    return max((_jour(o) for o in fichier.origines), default="") or "date inconnue"


def _jour(origine: Mapping[str, Any]) -> str:
    try:
        return email.utils.parsedate_to_datetime(str(origine["modifie"])).date().isoformat()
    except (ValueError, KeyError):
        return str(origine.get("recu_le", ""))[:10]


def _non_verifie(source: SourceOuverte) -> str:
    return "" if source.verifie else " (adresse non vérifiée)"


def _en_ligne(erreur: ErreurProjet) -> str:
    """Erreur en une phrase : ce qui s'est passé et ce qui a été trouvé."""
    texte = erreur.message.rstrip(".")
    return f"{texte} ({erreur.trouve})" if erreur.trouve is not None else texte
