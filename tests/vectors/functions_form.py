"""The form of `forms/functions.xml`: a calculation for every function and operator, and what they look at.

Written as an XForm, since a spreadsheet's names would hide what is tested.
"""

from xml.sax.saxutils import quoteattr

#: What `functions.xml` computes; ${x} of a spreadsheet is written out.
EXPRESSIONS: tuple[str, ...] = (
    "1 + 2 * 3 - 4 div 5",
    "7 mod 3",
    "-7 mod 3",
    "5 mod 0",
    "1 div 0",
    "-1 div 0",
    "0 div 0",
    "-(-5)",
    "1.0",
    "100 * 1.1",
    "0.1 + 0.2",
    "1 div 3",
    "1000000000000000000000 * 10",
    "0.0000001",
    "0.000001234",
    "123456789012345680000",
    "-0.5 * 0",
    "/data/int_a + 1",
    "/data/dec_a * 2",
    "/data/dec_a",
    "/data/int_a",
    "/data/text_a + 0",
    "number(/data/text_a)",
    "string(/data/dec_a)",
    "concat(/data/dec_a, '|', /data/int_a, '|', 1.50)",
    "/data/date_a + 1",
    "/data/date_a - /data/date_b",
    "string(number(/data/date_a))",
    "/data/int_a > 3 and /data/text_a",
    "/data/int_a > 3 or /data/text_a",
    "not(/data/text_a)",
    "not(/data/text_a = '')",
    "boolean(/data/text_a)",
    "boolean(string(/data/text_a))",
    "/data/text_a = /data/text_b",
    "/data/text_a != /data/text_b",
    "/data/row/n = 5",
    "/data/row/n != 5",
    "/data/row/n > 5",
    "/data/row/n = /data/int_a",
    "/data/row/n != /data/int_a",
    "/data/date_a < /data/date_b",
    "/data/date_a = '2024-02-29'",
    "/data/date_a <= date('2024-06-01')",
    "/data/date_a > date('2020-01-01')",
    "true() = 'x'",
    "concat(false(), true() and false(), /data/row/n or false())",
    "true() + 1",
    "'1' = 1",
    "'01' = 1",
    "'a' < 'b'",
    "/data/none = ''",
    "if(/data/int_a > 3, 'yes', 'no')",
    "if(/data/text_a, 'set', 'unset')",
    "if(/data/text_a != '', /data/int_a, /data/dec_a)",
    "coalesce(/data/text_a, /data/text_b)",
    "coalesce('', 'x')",
    "selected(/data/multi, 'maize')",
    "selected(/data/multi, '')",
    "count-selected(/data/multi)",
    "selected-at(/data/multi, 0)",
    "selected-at(/data/multi, 1)",
    "selected-at(/data/multi, 9)",
    "selected-at(/data/multi, -1)",
    "selected('a b  c', 'c')",
    "count-selected(' a  b ')",
    "count-selected('')",
    "jr:choice-name(/data/one, ' /data/one ')",
    "jr:choice-name(selected-at(/data/multi, 0), '/data/multi')",
    "int(2.7)",
    "int(-2.7)",
    "int('x')",
    "round(2.5)",
    "round(-2.5)",
    "round(1.005, 2)",
    "round(1234.567, -2)",
    "round('x')",
    "round(/data/dec_a, 1)",
    "round(2.345678, 4)",
    "round(0.5)",
    "pow(2, 10)",
    "pow(-8, 1 div 3)",
    "pow(0, -1)",
    "pow(2, 0.5)",
    "abs(-3.5)",
    "ceiling(1.2)",
    "floor(-1.2)",
    "sqrt(2)",
    "sqrt(-1)",
    "exp(1)",
    "exp10(3)",
    "log(0)",
    "log(2.718281828459045)",
    "log10(1000)",
    "sin(1)",
    "cos(1)",
    "tan(1)",
    "asin(2)",
    "acos(0.5)",
    "atan(1)",
    "atan2(1, 2)",
    "pi()",
    "sum(/data/row/n)",
    "sum(/data/row/n[. != ''])",
    "sum(/data/row[n > 1]/n)",
    "sum(/data/none)",
    "count(/data/row)",
    "count(/data/row[n != ''])",
    "count-non-empty(/data/row/n)",
    "min(/data/row/n)",
    "max(/data/row/n)",
    "min(3, 1, 2)",
    "max()",
    "max(/data/row/n[. != ''])",
    "min(/data/row/n[. != ''], 100)",
    "/data/row[1]/n",
    "/data/row[2]/label",
    "/data/row[last()]/n",
    "/data/row[position() = 2]/n",
    "string(/data/row/label)",
    "concat(/data/row/label)",
    "join(', ', /data/row/label)",
    "join('-', 'a', /data/row/n, 1)",
    "indexed-repeat(/data/row/n, /data/row, 1)",
    "indexed-repeat(/data/row/n, /data/row, 9)",
    "indexed-repeat(/data/row/inner/m, /data/row, 1, /data/row/inner, 2)",
    "sum(/data/row/inner/m[. != ''])",
    "count(/data/row/inner)",
    "/data//m[1]",
    "count(/data/*)",
    "count(/data/row/*)",
    "name(/data/row)",
    "local-name(/data/int_a)",
    "/data/int_a/../text_a",
    "./../int_a",
    "../int_a",
    "current()/../int_a",
    "string-length(/data/text_a)",
    "string-length('𠀀ả')",
    "substr('Điện Biên', 0, 4)",
    "substr('Điện Biên', -4)",
    "substr('Điện Biên', 2, -1)",
    "substr('abc', 2, 1)",
    "substr(/data/text_a, 0, 3)",
    "substring('12345', 2, 3)",
    "substring('12345', 1.5, 2.6)",
    "substring('12345', 0)",
    "substring('12345', -1, 4)",
    "substring-before('1999/04/01', '/')",
    "substring-after('1999/04/01', '/')",
    "substring-after('a::b', '::')",
    "substring-before('abc', 'x')",
    "contains(/data/text_a, 'Văn')",
    "starts-with(/data/text_a, 'Lò')",
    "ends-with(/data/text_a, 'Ánh')",
    "normalize-space('  a   b ')",
    "normalize-space(/data/text_a)",
    "translate('bar', 'abc', 'AB')",
    "translate(/data/text_a, 'òăá', 'oaa')",
    "concat('a', 1, true())",
    "string(1 = 1)",
    "regex(/data/text_a, '^(0|\\+84)[0-9]{9,10}$')",
    "regex('ab12', '[a-z]+\\d{2}$')",
    "regex('x', 'a|b|x')",
    "regex('', '^$')",
    "regex('a-b', '^[\\w-]+$')",
    "regex('Điện', '^\\w+$')",
    "regex('a b', 'a\\sb')",
    "regex('aaa', '^a{2}$')",
    "regex('a.b', 'a\\.b')",
    "regex('ab', '^(?:a|ab)(?:b|)$')",
    "regex('a{1', 'a{1')",
    "regex('tab\tx', '\\t')",
    "regex('ế', '[À-ỹ]')",
    "date('2024-02-29')",
    "date('2024-2-9')",
    "date(19782)",
    "date('x')",
    "date('')",
    "date(/data/date_a)",
    "date('2024-02-29T10:20:30.5+07:00')",
    "date-time('2024-02-29T10:20:30Z')",
    "format-date(/data/date_a, '%d/%m/%Y')",
    "format-date('2024-02-29', '%e/%n/%y %b %a')",
    "format-date-time('2024-02-29T08:05:09.120+07:00', '%H:%M:%S.%3 %h')",
    "format-date('2024-03-03', '%a')",
    "format-date('2024-03-04', '%a')",
    "format-date('x', '%Y')",
    "decimal-date-time('2024-02-29')",
    "decimal-date-time(/data/moment)",
    "decimal-date-time('2024-02-29T12:00:00Z')",
    "decimal-date-time('x')",
    "decimal-date-time(/data/date_a) - decimal-date-time(/data/date_b)",
    "decimal-time('06:00:00.000+07:00')",
    "decimal-time('23:00:00.000Z')",
    "decimal-time('x')",
    "decimal-time(/data/clock)",
    "number('2024-02-29')",
    "number('2024-02-29T12:00:00Z')",
    "number(' 12 ')",
    "number('1e3')",
    "number('0x10')",
    "number('1_000')",
    "number('')",
    "number(' ')",
    "number('Infinity')",
    "number('nan')",
    "'2024-02-29' + 1",
    "boolean-from-string('true')",
    "boolean-from-string('yes')",
    "checklist(2, 3, 'a', '', 'b')",
    "checklist(1, -1, /data/row/n)",
    "weighted-checklist(3, 5, 'a', 2, '', 4, 'b', 1)",
    "weighted-checklist(3, -1, 'a', 2)",
    "area(/data/shape)",
    "area(/data/trace)",
    "if(/data/trace != '', distance(/data/trace), 0)",
    "distance('21.3869 103.0194;21.3879 103.0206')",
    "distance('21.3869 103.0194', '21.3879 103.0206')",
    "geofence('2 2', '1 1;1 3;3 3;3 1;1 1')",
    "geofence(/data/point, /data/shape)",
    "digest('Điện Biên', 'SHA-256', 'hex')",
    "digest('x', 'MD5')",
    "base64-decode('xJBp4buHbiBCacOqbg==')",
    "base64-decode('#')",
    "instance('crops')/root/item[name = /data/one]/name",
    "count(instance('crops')/root/item)",
    "instance('villages')/root/item[2]/label",
    "instance('villages')/root/item[commune = '03226'][2]/name",
    "pulldata('villages', 'label', 'name', /data/village)",
    "pulldata('villages', 'label', 'name', 'nobody')",
    "count(randomize(instance('crops')/root/item))",
    "position(..)",
    "string(/data/group/inner_text)",
    "string(/data/hidden/secret)",
    "count(/data/hidden/secret)",
    "/data/hidden/secret = ''",
    "/data/hidden/total",
    "/data/chain_b + 1",
    "count(/data/row[1]/following-sibling::row)",
    "count(/data/row/ancestor::data)",
    "count(//n)",
    "count(/data/row/descendant::*)",
    "count(/data/row/self::row)",
    "'a' = \"a\"",
    "(1 + 2) * 3",
    "2 > 1 > 0",
    "1 = 1 = true()",
    "/data/row/n + 1",
    "jr:itext('hello')",
    "format-date('2024-02-30', '%d/%m/%Y')",
    "format-date(/data/text_a, '%d/%m/%Y')",
    "format-date-time(/data/text_b, '%Y-%m-%d %H:%M')",
    "date('2024-02-30')",
    "date(/data/text_a)",
    "date('2023-02-29T10:00:00+07:00')",
    "date(decimal-date-time(/data/date_a) + 1)",
    "decimal-date-time('2024-04-31')",
    "decimal-date-time('2024-04-30T25:00:00')",
    "decimal-date-time(/data/text_b)",
    "number('2024-02-31')",
    "number(/data/text_a)",
    "concat('[', date(/data/text_a), ']')",
    "date(/data/text_a) = ''",
    "if(date(/data/text_a) > date('2020-01-01'), 'later', 'earlier or none')",
)


def functions_form() -> str:
    """Return the XForm that computes them all."""
    names = [f"f{number:03}" for number in range(1, len(EXPRESSIONS) + 1)]
    binds = "\n".join(
        f'<bind nodeset="/data/{name}" type="string" calculate={quoteattr(expression)}/>'
        for name, expression in zip(names, EXPRESSIONS, strict=True)
    )
    blanks = "".join(f"<{name}/>" for name in names)
    return f"""<?xml version="1.0" encoding="utf-8"?>
<h:html xmlns="http://www.w3.org/2002/xforms" xmlns:h="http://www.w3.org/1999/xhtml"
 xmlns:jr="http://openrosa.org/javarosa"
 xmlns:orx="http://openrosa.org/xforms">
<h:head><h:title>Functions</h:title><model>
<itext><translation lang="Tiếng Việt (vi)" default="true()"><text id="hello"><value>Xin chào</value></text>
<text id="crop-maize"><value>Ngô</value></text><text id="crop-rice"><value>Lúa</value></text>
<text id="n-wrong"><value>Từ 1 đến 10.</value></text></translation>
<translation lang="English (en)"><text id="hello"><value>Hello</value></text>
<text id="crop-maize"><value>Maize</value></text><text id="crop-rice"><value>Rice</value></text>
<text id="n-wrong"><value>From 1 to 10.</value></text></translation></itext>
<instance><data id="functions" version="1"><text_a/><text_b/><int_a/><dec_a/><date_a/><date_b/><clock/><moment/>
<point/><trace/>
<shape/><one/><multi/><village/><preset>7</preset><none/><group><inner_text/></group><hidden><secret/><total/>
</hidden>
<row jr:template=""><_rid/><n/><label/><twice/><before/><here/><inner jr:template=""><_rid/><m/></inner></row>
<chain_c/><chain_b/><chain_a/><needed/>{blanks}<meta><instanceID/></meta></data></instance>
<instance id="crops"><root><item><itextId>crop-maize</itextId><name>maize</name></item>
<item><itextId>crop-rice</itextId><name>rice</name></item></root></instance>
<instance id="villages" src="jr://file-csv/villages.csv"/>
<bind nodeset="/data/text_a" type="string"/>
<bind nodeset="/data/text_b" type="string"
 constraint=". != 'x' and format-date(today(), '%Y-%m-%d %a') = '2026-11-21 Sat' and format-date-time(now(),
 '%H:%M:%S.%3') = '15:04:05.678'"/>
<bind nodeset="/data/int_a" type="int" constraint=". &gt;= 1 and . &lt;= 100"/>
<bind nodeset="/data/dec_a" type="decimal" constraint=". &lt; /data/int_a or /data/int_a = ''"
 jr:constraintMsg="Nhỏ hơn"/>
<bind nodeset="/data/date_a" type="date" constraint=". &lt;= today()"/>
<bind nodeset="/data/date_b" type="date" constraint=". &gt;= date('2007-01-01') and . &lt;= /data/date_a"/>
<bind nodeset="/data/clock" type="time"/><bind nodeset="/data/moment" type="dateTime" constraint=". &lt; now()"/>
<bind nodeset="/data/point" type="geopoint"/><bind nodeset="/data/trace" type="geotrace"/>
<bind nodeset="/data/shape" type="geoshape" constraint="area(.) &gt; 100"/>
<bind nodeset="/data/one" type="string"/>
<bind nodeset="/data/multi" type="string" constraint="not(selected(., 'maize') and count-selected(.) &gt; 1)"/>
<bind nodeset="/data/village" type="string" relevant="/data/text_a != ''"/>
<bind nodeset="/data/preset" type="int"/>
<bind nodeset="/data/hidden" relevant="/data/int_a &gt; 3"/>
<bind nodeset="/data/hidden/total" type="string" calculate="/data/chain_a * 2" constraint=". &lt; 30"/>
<bind nodeset="/data/row" relevant="/data/int_a != 2"/>
<bind nodeset="/data/row/_rid" type="string" calculate="once(uuid())"/>
<bind nodeset="/data/row/n" type="int" constraint=". &gt;= 1 and . &lt;= 10" jr:constraintMsg="jr:itext('n-wrong')"
 required="true()"/>
<bind nodeset="/data/row/label" type="string" relevant="../n &gt; 1" required="../n &gt; 5"/>
<bind nodeset="/data/row/twice" type="string" calculate="../n * 2"/>
<bind nodeset="/data/row/before" type="string"
 calculate="coalesce(indexed-repeat(/data/row/before, /data/row, position(..) - 1), 0) + coalesce(../n, 0)"/>
<bind nodeset="/data/row/here" type="string" calculate="concat(position(..), '/', count(../inner), '/',
 sum(../inner/m[. != '']))"/>
<bind nodeset="/data/row/inner/_rid" type="string" calculate="once(uuid())"/>
<bind nodeset="/data/row/inner/m" type="decimal" constraint=". &gt; ../../n"/>
<bind nodeset="/data/chain_a" type="int" calculate="/data/int_a + 1"/>
<bind nodeset="/data/chain_b" type="string" calculate="/data/chain_a + 1"/>
<bind nodeset="/data/chain_c" type="decimal" calculate="/data/chain_b div 3"/>
<bind nodeset="/data/needed" type="string" required="/data/int_a &gt; 3"/>
{binds}
<bind nodeset="/data/meta/instanceID" type="string" jr:preload="uid"/>
</model></h:head>
<h:body><input ref="/data/text_a"/><input ref="/data/text_b"/><input ref="/data/int_a"/><input ref="/data/dec_a"/>
<input ref="/data/date_a"/><input ref="/data/date_b"/><input ref="/data/clock"/><input ref="/data/moment"/>
<input ref="/data/point"/>
<input ref="/data/trace"/><input ref="/data/shape"/>
<select1 ref="/data/one"><itemset nodeset="instance('crops')/root/item"><value ref="name"/>
<label ref="jr:itext(itextId)"/></itemset></select1>
<select ref="/data/multi"><item><label>Ngô</label><value>maize</value></item><item><label>Lúa</label>
<value>rice</value></item>
<item><label>Sắn</label><value>cassava</value></item></select>
<select1 ref="/data/village"><itemset nodeset="instance('villages')/root/item[commune='03226' or /data/int_a = 5]">
<value ref="name"/>
<label ref="label"/></itemset></select1><input ref="/data/preset"/>
<group ref="/data/group"><input ref="/data/group/inner_text"/></group>
<group ref="/data/hidden"><input ref="/data/hidden/secret"/></group>
<group ref="/data/row"><repeat nodeset="/data/row"><input ref="/data/row/n"/><input ref="/data/row/label"/>
<group ref="/data/row/inner"><repeat nodeset="/data/row/inner"><input ref="/data/row/inner/m"/></repeat></group>
</repeat></group>
<input ref="/data/needed"/></h:body></h:html>
"""
