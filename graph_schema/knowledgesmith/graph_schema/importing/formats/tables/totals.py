"""Rows of a table that stand below its things and are none: totals, averages, sources and remarks."""

from __future__ import annotations

from typing import Final

from knowledgesmith.graph_schema.importing.formats.rows.column_words import heading
from knowledgesmith.graph_schema.importing.reading.problems import quote


def _words(text: str) -> frozenset[str]:
    return frozenset(heading(word.replace("_", " ")) for word in text.split())


_TOTALS: Final = _words(
    """summe gesamt gesamtsumme gesamtergebnis insgesamt zusammen zwischensumme endsumme teilsumme total totals
    grand_total subtotal sub_total sum overall all_together in_total totaux ensemble somme total_général
    sous-total suma suma_total total_general totale totale_generale somma complessivo soma total_geral totaal
    eindtotaal subtotaal razem ogółem łącznie suma_końcowa celkem součet spolu összesen mindösszesen toplam
    genel_toplam summa yhteensä totalt i_alt итого всего сумма итог общий_итог разом усього всього сума σύνολο
    סהכ סה"כ סה״כ 合計 総計 小計 計 合计 总计 總計 小计 总和 總和 共计 共計 합계 총계 총합 소계 계 المجموع مجموع
    الإجمالي إجمالي الاجمالي اجمالي المجموع_الكلي جمع جمع_کل مجموع_کل कुल योग कुल_योग รวม ทั้งหมด รวมทั้งหมด
    tổng tổng_cộng jumlah total_keseluruhan σ ∑"""
)
_AVERAGES: Final = _words(
    """ø ⌀ durchschnitt mittelwert mittel im_mittel median average avg mean moyenne médiane promedio media mediana
    média gemiddelde gemiddeld średnia średnio průměr átlag ortalama keskiarvo medelvärde genomsnitt среднее
    в_среднем медиана середнє μέσος_όρος ממוצע 平均 平均値 平均值 均值 중앙값 평균 المتوسط متوسط میانگین औसत
    ค่าเฉลี่ย trung_bình rata-rata"""
)
_SOURCES: Final = _words(
    """quelle quellen stand anmerkung anmerkungen hinweis hinweise fußnote source sources note notes as_of remark
    remarks footnote last_updated sources_and_notes remarque remarques fuente fuentes nota notas fonte fonti
    fontes bron bronnen opmerking źródło źródła uwaga uwagi zdroj poznámka forrás megjegyzés kaynak not lähde
    huom källa anm kilde источник источники примечание примечания джерело примітка πηγή σημείωση מקור הערה 出典
    出所 資料 資料来源 注 備考 来源 资料来源 数据来源 資料來源 數據來源 注释 备注 說明 说明 출처 자료 주 비고
    المصدر مصدر ملاحظة ملاحظات منبع توضیح स्रोत टिप्पणी ที่มา แหล่งที่มา หมายเหตุ nguồn ghi_chú sumber catatan"""
)
_COLONS: Final = (":", "\uff1a")


def not_a_thing(name: str) -> str:
    """What a row of this name rather is than a thing, for the report; empty where nothing says so."""
    bare = name.strip().rstrip(":\uff1a").strip(" .*=_-\u2013\u2014()[]")
    title = heading(bare)
    if title in _TOTALS:
        return f"{quote(name)} reads like a total of other rows; take the row out of the table where it is no thing"
    if title in _AVERAGES:
        return f"{quote(name)} reads like an average of other rows; take the row out of the table where it is no thing"
    ends = [end for sign in _COLONS if (end := name.find(sign)) > 0]
    if ends and heading(name[: min(ends)].strip(" *()[]")) in _SOURCES:
        return f"{quote(name)} reads like a source or a remark; take the row out of the table where it is no thing"
    return ""
