-- Runs of the old system that stand back, each with the run of the same case that won: the first of them.
SELECT loser.id AS loser, loser.case_code, loser.state, winner.id AS winner
FROM old_workflow.instances AS loser
JOIN LATERAL (
    SELECT w.id
    FROM old_workflow.instances AS w
    WHERE w.case_code = loser.case_code
      AND changeover.fold(w.state) IN ('running', 'dang_xu_ly', 'đang xử lý', 'suspended', 'tam_dung', 'tạm dừng')
    ORDER BY w.id
    LIMIT 1
) AS winner ON winner.id < loser.id
WHERE loser.case_code <> ''
  AND changeover.fold(loser.state) IN ('running', 'dang_xu_ly', 'đang xử lý', 'suspended', 'tam_dung', 'tạm dừng')
ORDER BY loser.id
