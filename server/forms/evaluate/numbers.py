"""ODK's functions over numbers, with JavaScript's arithmetic: infinities and no numbers in place of exceptions."""

import math
from collections.abc import Callable

from server.forms.evaluate.values import Value, as_number, numbers_of


def whole_part(value: Value) -> float:
    """Return a number without its fraction."""
    number = as_number(value)
    return float(math.trunc(number)) if math.isfinite(number) else number


def rounded(number: float) -> float:
    """Return the nearest whole number, the upper of two: JavaScript's Math.round."""
    if not math.isfinite(number) or abs(number) >= 2**52:
        return number
    below = math.floor(number)
    return float(below + 1 if number - below >= 0.5 else below)


def power(base: float, exponent: float) -> float:
    """Return JavaScript's Math.pow: no exceptions, and no number where none is real."""
    if math.isnan(exponent) or (abs(base) == 1 and math.isinf(exponent)):
        return math.nan
    try:
        return math.pow(base, exponent)
    except OverflowError:
        return -math.inf if base < 0 and exponent % 2 == 1 else math.inf
    except ValueError:
        return math.nan if base != 0 else (-math.inf if math.copysign(1, base) < 0 and exponent % 2 == -1 else math.inf)


def divided(left: float, right: float) -> float:
    """Return JavaScript's quotient, infinite or no number where the divisor is 0."""
    if right != 0:
        return left / right
    if left == 0 or math.isnan(left):
        return math.nan
    return math.copysign(math.inf, left) * math.copysign(1, right)


def remainder(left: float, right: float) -> float:
    """Return JavaScript's remainder, which has the sign of what is divided."""
    return math.nan if right == 0 or not math.isfinite(left) or math.isnan(right) else math.fmod(left, right)


def rounded_to(value: Value, decimals: Value = 0.0) -> float:
    """Return a number rounded to so many decimals, halves away from 0."""
    number, places = as_number(value), as_number(decimals)
    if math.isnan(number) or math.isnan(places):
        return math.nan
    factor = power(10.0, places)
    shifted = rounded(abs(number) * factor)
    return divided(shifted, factor) * (-1 if number < 0 else 1)


def real(call: Callable[[float], float]) -> Callable[[Value], float]:
    """Return a function of one number that raises nothing."""

    def compute(value: Value) -> float:
        number = as_number(value)
        if math.isnan(number):
            return number
        try:
            return call(number)
        except OverflowError:
            return math.inf
        except ValueError:
            return math.nan

    return compute


def logarithm(call: Callable[[float], float]) -> Callable[[float], float]:
    """Return a logarithm that is minus infinity at 0."""
    return lambda number: -math.inf if number == 0 else call(number)


def to_integer(call: Callable[[float], int]) -> Callable[[float], float]:
    """Return a function to whole numbers that leaves infinities alone."""
    return lambda number: float(call(number)) if math.isfinite(number) else number


def real_of_two(call: Callable[[float, float], float]) -> Callable[[Value, Value], float]:
    """Return a function of two numbers that is none where one of them is."""

    def compute(one: Value, other: Value) -> float:
        first, second = as_number(one), as_number(other)
        return math.nan if math.isnan(first) or math.isnan(second) else call(first, second)

    return compute


def summed(values: Value) -> float:
    """Return the sum of all values, none where one is none or there are none."""
    total: float | None = None
    for number in numbers_of(values):
        if math.isnan(number):
            return number
        total = number if total is None else total + number
    return math.nan if total is None else total


def extreme(call: Callable[[list[float]], float]) -> Callable[..., float]:
    """Return a function of all values together, none where one is none or there are none."""

    def compute(*values: Value) -> float:
        numbers = [number for value in values for number in numbers_of(value)]
        return math.nan if not numbers or any(map(math.isnan, numbers)) else call(numbers)

    return compute
