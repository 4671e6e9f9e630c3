"""Which team a message is for, and in what mood it was written: words, weights, a sum. Nothing here knows of Stepwise."""

import re
from dataclasses import dataclass

TOPICS = {
    "billing": {"invoice": 3, "refund": 3, "charged": 2, "price": 1, "pay": 1, "payment": 2, "bill": 2},
    "delivery": {"parcel": 3, "delivery": 3, "delivered": 2, "late": 1, "arrived": 2, "courier": 2, "tracking": 2},
    "technical": {"error": 3, "crash": 3, "login": 2, "password": 2, "app": 1, "broken": 1, "screen": 1},
}

MOODS = {
    "angry": -3, "terrible": -3, "worst": -3, "unacceptable": -3, "never": -1, "again": -1, "broken": -1, "late": -1,
    "disappointed": -2, "wrong": -1, "thanks": 2, "thank": 2, "great": 2, "good": 1, "happy": 2, "please": 1, "love": 3,
}

NEGATIONS = {"not", "no", "never", "isn", "wasn", "don", "didn"}


@dataclass(frozen=True)
class Reading:
    """What a text says: its topic, how sure that is in percent, its mood from -100 to 100, the words that decided."""

    topic: str
    certainty: int
    mood: int
    words: tuple


def read(text):
    """Reads a text. Without a word that counts it is for `general`."""
    words = re.findall(r"[^\W\d_]+", text.lower())
    scores = {topic: sum(weights.get(word, 0) for word in words) for topic, weights in TOPICS.items()}
    total = sum(scores.values())
    topic = max(scores, key=scores.get) if total else "general"
    certainty = scores[topic] * 100 // total if total else 0
    mood = 0
    for place, word in enumerate(words):
        weight = MOODS.get(word, 0)
        # "not good" is not good.
        turned = weight > 0 and place > 0 and words[place - 1] in NEGATIONS
        mood += -weight if turned else weight
    told = [word for word in dict.fromkeys(words) if word in MOODS or word in TOPICS.get(topic, {})]
    if text.count("!") >= 3:
        mood -= 1
    return Reading(topic, certainty, max(-100, min(100, mood * 20)), tuple(told[:10]))
