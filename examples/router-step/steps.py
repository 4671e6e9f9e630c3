"""The step library `router`: which team a message is for, and in what mood it was written."""

from router import read
from stepwise import Library, info, rule_violated


def route(inputs):
    """Reads the words of a message."""
    text = " ".join(part for part in (inputs["subject"], inputs["text"]) if part)
    if not text.strip():
        raise rule_violated("nothing-said", "the message has neither a subject nor a text")
    reading = read(text)
    info(f"for {reading.topic} ({reading.certainty} %), mood {reading.mood}")
    return {
        "topic": reading.topic,
        "certainty": reading.certainty,
        "mood": reading.mood,
        "upset": reading.mood <= -40,
        "words": ", ".join(reading.words) or None,
    }


class Step(Library):
    manifest = {
        "library": "router",
        "version": "1.0.0",
        "title": "Router",
        "description": "Sorts messages by what they are about.",
        "steps": [
            {
                "step": "router.route",
                "title": "Route a message",
                "description": "Tells by its words which team a message is for and in what mood it was written.",
                "inputs": {
                    "subject": {"type": "text", "max-length": 1000, "description": "What stands above it"},
                    "text": {"type": "text", "max-length": 100000, "description": "What it says"},
                },
                "outputs": {
                    "topic": {"type": "text", "required": True, "description": "billing, delivery, technical or general"},
                    "certainty": {"type": "whole", "required": True, "description": "How sure that is, in percent"},
                    "mood": {"type": "whole", "required": True, "description": "From -100 (furious) to 100 (delighted)"},
                    "upset": {"type": "boolean", "required": True, "description": "Whether somebody should call"},
                    "words": {"type": "text", "description": "The words that decided"},
                },
                "errors": {"nothing-said": "The message has neither a subject nor a text"},
                "deterministic": True,
                "idempotent": True,
                "examples": [
                    {
                        "title": "a parcel that is late",
                        "inputs": {"subject": "Where is my parcel?", "text": "It is late again, this is unacceptable!"},
                        "outputs": {
                            "topic": "delivery",
                            "certainty": 100,
                            "mood": -100,
                            "upset": True,
                            "words": "parcel, late, again, unacceptable",
                        },
                    },
                    {"title": "nothing", "inputs": {"subject": " "}, "error": "nothing-said"},
                ],
            }
        ],
    }
    functions = {"router.route": route}
