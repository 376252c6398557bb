CREATE INDEX lines_by_order ON public.lines (order_id, line_no);
