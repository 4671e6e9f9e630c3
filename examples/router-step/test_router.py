"""`python3 -m unittest`: the rules by themselves."""

import unittest

from router import read


class Routing(unittest.TestCase):
    def test_the_words_decide(self):
        reading = read("My parcel was never delivered. Terrible!")
        self.assertEqual((reading.topic, reading.certainty), ("delivery", 100))
        self.assertLess(reading.mood, 0)
        self.assertIn("parcel", reading.words)

    def test_without_a_word_it_is_for_everybody(self):
        self.assertEqual(read("Hello"), read("hello"))
        self.assertEqual(read("Hello").topic, "general")

    def test_not_good_is_not_good(self):
        self.assertGreater(read("good").mood, 0)
        self.assertLess(read("not good").mood, 0)

    def test_a_long_rant_has_an_end(self):
        self.assertEqual(read("terrible " * 1000).mood, -100)


if __name__ == "__main__":
    unittest.main()
