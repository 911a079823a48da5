"""Replies to the questions of lesson 10."""

from autograd_mini.teaching import answer

REPLIES = {
    "10.1": "3 + 3 + 1",
    "10.2": 3,
    "10.3": "2*(2 + 3) + 2*2",
    "10.4": 0,
    "10.5": "1 - 0^2",
    "10.6": "2*3 + 2",
    "10.7": "d",
    "10.8": "0.5 - 1",
    "10.9": "-0.5*0.5",
    "10.10": "-0.5*2*0.25*1.5",
    "10.11": "0 + 0",
    "10.12": "-1.194",
}

if __name__ == "__main__":
    for question, reply in REPLIES.items():
        print(answer(question, reply), end="\n\n")
