"""Replies to the questions of lesson 06."""

from autograd_mini.teaching import answer

REPLIES = {
    "6.1": "-1",
    "6.2": "-1*(1 - 0^2)*3",
    "6.3": "-3*(1 - 0^2)*2",
    "6.4": "3*2 + 5*(-1) + 1*4",
    "6.5": "3*1 + 1*(-1)",
    "6.6": "2*2 + (3 + 2)*(-1)",
    "6.7": "5*5*5",
    "6.8": "125*4",
    "6.9": "5 + 25 + 25 + 5",
    "6.10": "1*0.5*0.5",
    "6.11": "0.25*4*0.25",
    "6.12": "0.25^10",
    "6.13": "1/0.25",
    "6.14": "4*1*(-3)*1*2",
    "6.15": 0,
    "6.16": "a",
}

if __name__ == "__main__":
    for question, reply in REPLIES.items():
        print(answer(question, reply), end="\n\n")
