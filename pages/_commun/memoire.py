"""Caches du serveur : images et objets calculés, bornés, communs à toutes les sessions."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from threading import Event, Lock
from typing import Final, TypeVar

#: Octets d'images gardés en mémoire pour tout le serveur.
MEMOIRE_IMAGES: Final = 96 * 1024 * 1024
_V = TypeVar("_V")


class CacheImages:
    """Images dessinées, les moins récentes oubliées d'abord."""

    def __init__(self, octets_max: int = MEMOIRE_IMAGES) -> None:
        self._octets_max = octets_max
        self._images: OrderedDict[str, bytes] = OrderedDict()
        self._octets = 0
        self._verrou = Lock()

    def obtenir(self, cle: str, dessiner: Callable[[], bytes]) -> bytes:
        """Image gardée, ou dessinée maintenant."""
        with self._verrou:
            image = self._images.get(cle)
            if image is not None:
                self._images.move_to_end(cle)
                return image
        image = dessiner()
        with self._verrou:
            if cle not in self._images:
                self._images[cle] = image
                self._octets += len(image)
            while self._octets > self._octets_max and len(self._images) > 1:
                _, ancienne = self._images.popitem(last=False)
                self._octets -= len(ancienne)
        return image


class CacheObjets:
    """Petits objets calculés, au plus ``nombre`` gardés."""

    def __init__(self, nombre: int) -> None:
        self._nombre = nombre
        self._objets: OrderedDict[object, object] = OrderedDict()
        self._en_cours: dict[object, Event] = {}
        self._verrou = Lock()

    def obtenir(self, cle: object, calculer: Callable[[], _V]) -> _V:
        """Objet gardé, ou calculé maintenant.

        Demandé par deux fils à la fois (un clic l'est par la carte et par la page), il n'est
        calculé qu'une fois ; si ce calcul échoue ou s'interrompt, l'autre le reprend à son compte.
        """
        while True:
            with self._verrou:
                if cle in self._objets:
                    self._objets.move_to_end(cle)
                    return self._objets[cle]  # type: ignore[return-value]
                autre = self._en_cours.get(cle)
                if autre is None:
                    fini = self._en_cours[cle] = Event()
                    break
            autre.wait()
        try:
            objet = calculer()
            with self._verrou:
                self._objets[cle] = objet
                while len(self._objets) > self._nombre:
                    self._objets.popitem(last=False)
            return objet
        finally:
            with self._verrou:
                del self._en_cours[cle]
            fini.set()
